"""Allow-lists of names to paste into the cloud's own firewall, which first tells and only then denies."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from cloudseg.checks.rule_lists import counted
from cloudseg.remediations.destinations import traffic_of
from cloudseg.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cloudseg.remediations.destinations import Destinations

__all__ = ["allow_list_steps"]

_NAME: Final = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+")
"""Names that go into a list as they are: logs hold whatever a machine asked for. Source: RFC 1035, section 2.3.1; an
underscore is common."""
_LONGEST: Final = 253
_WEB: Final = Traffic.parse("tcp/80, tcp/443")
_AWS, _AZURE, _GCP = "aws", "azure", "gcp"
_FQDNS: Final = 100
"""So many names a firewall policy rule of Google Cloud takes. Source: https://cloud.google.com/firewall/docs/quotas"""


def allow_list_steps(provider: str, parts: Destinations, where: str, others: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what people can do to let out to chosen names alone; nothing where no name is known.

    Args:
        provider: the provider.
        parts: what leaves.
        where: what to call the network or namespace.
        others: names that logs tell without an address.
    """
    every = sorted({*parts.names, *others})
    names = [name for name in every if len(name) <= _LONGEST and _NAME.fullmatch(name)]
    odd = len(every) - len(names)
    if not names:
        return (f"{counted(odd, 'name')} of the logs cannot be names of hosts, and are in no list",) if odd else ()
    traffic = traffic_of(parts.by_name) if parts.by_name else _WEB
    steps = {_AWS: _aws, _AZURE: _azure, _GCP: _gcp}.get(provider, _cilium)(names, traffic, where)
    left = (
        (f"{counted(odd, 'name')} of the logs cannot be names of hosts, and are left out of the list",) if odd else ()
    )
    return (*steps, *left)


def _fenced(kind: str, text: str) -> str:
    return f"```{kind}\n{text}\n```"


def _aws(names: Sequence[str], traffic: Traffic, where: str) -> tuple[str, ...]:
    """Return the steps for AWS Network Firewall, by the names in TLS and HTTP requests.

    Sources: https://docs.aws.amazon.com/network-firewall/latest/developerguide/stateful-rule-groups-domain-names.html
    and https://docs.aws.amazon.com/network-firewall/latest/developerguide/suricata-rule-evaluation-order.html
    """
    source = {
        "RulesSource": {
            "RulesSourceList": {
                "Targets": list(names),
                "TargetTypes": ["TLS_SNI", "HTTP_HOST"],
                "GeneratedRulesType": "ALLOWLIST",
            }
        },
        "StatefulRuleOptions": {"RuleOrder": "STRICT_ORDER"},
    }
    policy = {
        "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER"},
        "StatefulDefaultActions": ["aws:alert_established"],
    }
    other = _others(traffic)
    return (
        f"make a stateful domain list rule group for AWS Network Firewall with what {where} was seen to use:",
        _fenced("json", json.dumps(source, indent=2)),
        (
            "begin in alert mode, so that what the list lacks is told and not cut; set HOME_NET to the ranges of every "
            "network behind the firewall:"
        ),
        _fenced("json", json.dumps(policy, indent=2)),
        "lead the default route of the private subnets through the firewall's endpoints, one in each zone, both ways",
        "when the alert log stays empty for a month, put aws:drop_established in the place of aws:alert_established",
        *(
            (f"{other} bears no name in its packets that such a list could judge: give it rules of its own",)
            if other
            else ()
        ),
    )


def _azure(names: Sequence[str], traffic: Traffic, where: str) -> tuple[str, ...]:
    """Return the steps for an Azure Firewall policy.

    Source: https://learn.microsoft.com/azure/templates/microsoft.network/firewallpolicies/rulecollectiongroups
    """
    rule = {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection",
        "name": "observed-names",
        "priority": 200,
        "action": {"type": "Allow"},
        "rules": [
            {
                "ruleType": "ApplicationRule",
                "name": "observed-names",
                "sourceAddresses": ["*"],
                "targetFqdns": list(names),
                "protocols": [{"protocolType": "Https", "port": 443}, {"protocolType": "Http", "port": 80}],
            }
        ],
    }
    other = _others(traffic)
    return (
        (
            f"add a rule collection to the Azure Firewall policy with what {where} was seen to use, and put the ranges "
            "of the network in the place of the *:"
        ),
        _fenced("json", json.dumps(rule, indent=2)),
        (
            "lead the default route of the subnets to the firewall, and keep an allowing rule behind it until its log "
            "shows nothing but the names of the list"
        ),
        *((f"{other} needs network rules with FQDNs, and the firewall as its DNS proxy",) if other else ()),
    )


def _gcp(names: Sequence[str], traffic: Traffic, where: str) -> tuple[str, ...]:
    """Return the steps for FQDN objects of a firewall policy; they take no wildcards.

    Source: https://cloud.google.com/firewall/docs/firewall-policies-rule-details#fqdn-objects
    """
    plain = [name for name in names if not name.startswith("*.")]
    ports = ",".join(term.replace("/", ":") for term in traffic.terms()) or "tcp:443"
    rules = [
        "gcloud compute network-firewall-policies rules create "
        f"{1000 + start // _FQDNS} --firewall-policy=POLICY --global-firewall-policy "
        f"--direction=EGRESS --action=allow --layer4-configs={ports} --enable-logging "
        f"--dest-fqdns={','.join(plain[start : start + _FQDNS])}"
        for start in range(0, len(plain), _FQDNS)
    ]
    return (
        f"allow in a network firewall policy the names that {where} was seen to use:",
        _fenced("sh", "\n".join(rules)),
        "Google's own services (*.googleapis.com) need no way to the internet: Private Google Access leads to them",
        (
            "log what the implied rule lets out first, and deny it with a rule of the lowest priority when the log is "
            "empty; a name stands for 32 addresses of each family at most"
        ),
    )


def _cilium(names: Sequence[str], traffic: Traffic, where: str) -> tuple[str, ...]:
    """Return the steps for a policy of Cilium; it learns addresses from the DNS answers that it sees.

    Source: https://docs.cilium.io/en/stable/security/policy/language/#dns-based
    """
    namespace = where.removeprefix("namespace ")
    lines = [
        "apiVersion: cilium.io/v2",
        "kind: CiliumNetworkPolicy",
        "metadata:",
        "  name: observed-names",
        f"  namespace: {json.dumps(namespace)}",
        "spec:",
        "  endpointSelector: {}",
        "  egress:",
        "    - toEndpoints:",
        "        - matchLabels:",
        "            k8s:io.kubernetes.pod.namespace: kube-system",
        "            k8s-app: kube-dns",
        "      toPorts:",
        '        - ports: [{port: "53", protocol: ANY}]',
        '          rules: {dns: [{matchPattern: "*"}]}',
        "    - toFQDNs:",
        *(
            f"        - {'matchPattern' if name.startswith('*.') else 'matchName'}: {json.dumps(name)}"
            for name in names
        ),
        *_ports(traffic),
    ]
    return (
        (
            "where the cluster runs Cilium, let out to the names that were seen, with the rule for DNS that shows "
            "Cilium their addresses; if its name servers or NodeLocal DNS stand elsewhere, name these:"
        ),
        _fenced("yaml", "\n".join(lines)),
        "switch policy audit mode on first, and take the policy with ranges out when Hubble shows no AUDIT verdict",
        "where the cluster runs no Cilium, lead what leaves through a gateway for egress that judges by name",
    )


def _ports(traffic: Traffic) -> tuple[str, ...]:
    """Return the ports of a policy; none where some traffic has no ports, which then stays open to all of the names."""
    found: list[str] = []
    for term in traffic.terms():
        protocol, _, port = term.partition("/")
        first, _, last = port.partition("-")
        if protocol not in {"tcp", "udp", "sctp"} or not first.isdigit():
            return ()
        end = f", endPort: {last}" if last else ""
        found.append(f'{{port: "{first}", protocol: {protocol.upper()}{end}}}')
    return ("      toPorts:", f"        - ports: [{', '.join(found)}]") if found else ()


def _others(traffic: Traffic) -> str:
    """Return the traffic that is neither HTTP nor TLS on their usual ports, in words; empty for none."""
    left = [term for term in traffic.terms() if term not in {"tcp/80", "tcp/443"}]
    return ", ".join(left)
