"""Names that machines asked for are read from the logs of every vendor, line by line, and nothing is lost in silence.

The records are those of the vendors' pages, with their addresses and names changed.
"""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.errors import InputError
from cloudseg.flows.naming.reading import read_names
from cloudseg.flows.naming.values import ObservedName
from cloudseg.traffic import AddressSet

if TYPE_CHECKING:
    from pathlib import Path

    from cloudseg.flows.naming.values import ObservedNames

Record = dict[str, Any]


def resolver(name: str = "Api.Example.com.", *addresses: str, **more: Any) -> Record:
    answers: list[Record] = [{"Rdata": "edge.example.net.", "Type": "CNAME", "Class": "IN"}]
    answers += [{"Rdata": each, "Type": "AAAA" if ":" in each else "A", "Class": "IN"} for each in addresses]
    return {
        "version": "1.100000",
        "account_id": "111122223333",
        "region": "eu-west-1",
        "vpc_id": "vpc-1",
        "query_timestamp": "2026-01-04T17:51:55Z",
        "query_name": name,
        "query_type": "A",
        "query_class": "IN",
        "rcode": "NOERROR",
        "answers": answers,
        "srcaddr": "10.0.2.10",
        "srcport": "56067",
        "transport": "UDP",
        "srcids": {"instance": "i-0d15cd0d3example"},
    } | more


def wall(**event: Any) -> Record:
    return {
        "firewall_name": "firewall-1",
        "availability_zone": "eu-west-1a",
        "event_timestamp": "1767549115",
        "event": {
            "timestamp": "2026-01-04T17:51:55.006481+0000",
            "event_type": "alert",
            "src_ip": "10.0.2.10",
            "src_port": 51254,
            "dest_ip": "198.51.100.7",
            "dest_port": 443,
            "proto": "TCP",
        }
        | event,
    }


FIREWALL = "/SUBSCRIPTIONS/AAAA/RESOURCEGROUPS/RG/PROVIDERS/MICROSOFT.NETWORK/AZUREFIREWALLS/FIREWALL-1"


def azure(category: str, **properties: Any) -> Record:
    return {
        "category": category,
        "time": "2026-01-04T17:51:55.8121070Z",
        "resourceId": FIREWALL,
        "properties": {"SourceIp": "10.1.1.4", "SourcePort": 50975} | properties,
    }


def flow(**more: Any) -> Record:
    told = {
        "time": "2026-01-04T17:51:55.123456789Z",
        "verdict": "FORWARDED",
        "IP": {"source": "10.0.0.5", "destination": "198.51.100.7", "ipVersion": "IPv4"},
        "source": {"namespace": "shop", "pod_name": "web-1", "cluster_name": "prod"},
        "destination": {"labels": ["reserved:world"]},
        "node_name": "prod/node-1",
        "is_reply": False,
    }
    return {"flow": told | more, "node_name": "prod/node-1", "time": told["time"]}


def cloud_dns(**payload: Any) -> Record:
    return {
        "insertId": "1",
        "jsonPayload": {
            "queryName": "api.example.com.",
            "queryType": "A",
            "responseCode": "NOERROR",
            "sourceIP": "10.2.1.10",
            "sourceNetwork": "vpc",
            "vmInstanceIdString": "8340998530665147",
            "rdata": "api.example.com.\t300\tIN\tcname\tedge.example.net.\nedge.example.net.\t60\tIN\ta\t198.51.100.7",
        }
        | payload,
        "resource": {"type": "dns_query", "labels": {"project_id": "shop"}},
        "timestamp": "2026-01-04T17:51:55.123456Z",
    }


def read(folder: Path, *records: Record | str, name: str = "names.log") -> ObservedNames:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_names([folder])


MOMENT = 1767549115


def test_a_query_of_route_53_tells_the_addresses_at_the_end_of_its_aliases(tmp_path: Path) -> None:
    found = read(tmp_path, resolver("Api.Example.com.", "198.51.100.7", "2001:db8::7"))

    assert found.names == (
        ObservedName(
            "aws", "111122223333", "vpc-1", "10.0.2.10", "api.example.com", ("198.51.100.7", "2001:db8::7"), 1, MOMENT,
            MOMENT,
        ),
    )  # fmt: skip
    assert found.lost == ()
    assert found.formats == {"Route 53 Resolver query logs": 1}


def test_queries_of_one_client_for_one_name_are_put_together(tmp_path: Path) -> None:
    later = resolver("api.example.com.", "198.51.100.8", query_timestamp="2026-01-05T17:51:55Z")
    found = read(tmp_path, resolver("Api.Example.com.", "198.51.100.7"), later)

    (name,) = found.names
    assert (name.addresses, name.records) == (("198.51.100.7", "198.51.100.8"), 2)
    assert (name.first_seen, name.last_seen) == (MOMENT, MOMENT + 86_400)


@pytest.mark.parametrize("told", [{"rcode": "NXDOMAIN"}, {"query_type": "PTR"}, {"query_type": "MX"}], ids=str)
def test_what_names_no_destination_is_passed_over(tmp_path: Path, told: Record) -> None:
    found = read(tmp_path, resolver("good.example.com."), resolver("other.example.com.", **told))

    assert [each.name for each in found.names] == ["good.example.com"]
    assert found.lost == ()


def test_a_query_that_the_dns_firewall_blocked_is_no_name_of_an_address(tmp_path: Path) -> None:
    found = read(tmp_path, resolver("bad.example.com.", "198.51.100.7", firewall_rule_action="BLOCK"))

    assert found.names[0].denied == 1
    assert found.called("198.51.100.7") == ()


def test_an_address_has_all_names_under_which_anybody_was_told_it(tmp_path: Path) -> None:
    other = resolver("b.example.com.", "198.51.100.7", srcaddr="10.0.2.11")
    found = read(tmp_path, resolver("a.example.com.", "198.51.100.7", "2001:db8::7"), other)

    assert found.called("198.51.100.7") == ("a.example.com", "b.example.com")
    assert found.called("198.51.100.7", AddressSet.parse("10.0.2.11")) == ("b.example.com",)
    assert found.called("198.51.100.7", AddressSet.parse("10.9.9.9")) == ("a.example.com", "b.example.com")
    assert found.called("2001:DB8:0::7") == ("a.example.com",)
    assert found.called("198.51.100.9") == ()


def test_a_firewall_of_aws_tells_the_name_of_tls_and_of_http(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        wall(tls={"sni": "api.example.com"}, alert={"action": "allowed"}),
        wall(http={"hostname": "www.example.com"}, dest_port=80, dest_ip="198.51.100.8"),
        wall(event_type="netflow", dest_ip="198.51.100.9"),
    )

    assert [(each.name, each.addresses, each.client) for each in found.names] == [
        ("api.example.com", ("198.51.100.7",), "10.0.2.10"),
        ("www.example.com", ("198.51.100.8",), "10.0.2.10"),
    ]
    assert found.lost == ()


def test_a_packet_back_to_the_client_names_the_server_that_sent_it(tmp_path: Path) -> None:
    back = wall(src_ip="198.51.100.7", dest_ip="10.0.2.10", direction="to_client", tls={"sni": "api.example.com"})
    found = read(tmp_path, back)

    assert (found.names[0].client, found.names[0].addresses) == ("10.0.2.10", ("198.51.100.7",))


def test_a_connection_that_a_firewall_blocked_is_denied(tmp_path: Path) -> None:
    found = read(tmp_path, wall(tls={"sni": "bad.example.com"}, alert={"action": "blocked"}))

    assert found.names[0].denied == 1


def test_azure_firewall_tells_names_and_no_addresses(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        azure("AZFWApplicationRule", Fqdn="api.example.com", Action="Allow", DestinationPort=443),
        azure("AZFWApplicationRule", Fqdn="bad.example.com", Action="Deny"),
        azure("AZFWDnsQuery", QueryName="www.example.com.", QueryType="A", ResponseCode="NOERROR"),
        azure("AZFWNetworkRule", DestinationIp="198.51.100.7", Action="Allow"),
    )

    assert [(each.scope, each.name, each.addresses, each.denied) for each in found.names] == [
        ("aaaa", "api.example.com", (), 0),
        ("aaaa", "bad.example.com", (), 1),
        ("aaaa", "www.example.com", (), 0),
    ]
    assert found.unanswered("azure", AddressSet.parse("10.1.0.0/16")) == ("api.example.com", "www.example.com")
    assert found.unanswered("azure", AddressSet.parse("10.2.0.0/16")) == ()
    assert found.unanswered("aws", AddressSet.parse("10.1.0.0/16")) == ()


def test_the_older_log_of_azure_firewall_tells_names_in_its_message(tmp_path: Path) -> None:
    text = "HTTPS request from 10.1.0.5:55640 to api.example.com:443. Action: Allow. Rule Collection: one. Rule: two"
    found = read(tmp_path, azure("AzureFirewallApplicationRule", SourceIp=None, msg=text))

    assert (found.names[0].client, found.names[0].name) == ("10.1.0.5", "api.example.com")


def test_records_of_a_diagnostic_setting_are_read_one_by_one(tmp_path: Path) -> None:
    records = [azure("AZFWApplicationRule", Fqdn=f"{name}.example.com", Action="Allow") for name in "ab"]
    found = read(tmp_path, json.dumps({"records": records}, indent=2))

    assert [each.name for each in found.names] == ["a.example.com", "b.example.com"]


def test_hubble_tells_the_names_of_flows_and_the_answers_that_pods_got(tmp_path: Path) -> None:
    answer = flow(
        IP={"source": "10.0.0.2", "destination": "10.0.0.5"},
        source={"namespace": "kube-system", "pod_name": "coredns-1", "cluster_name": "prod"},
        destination={"namespace": "shop", "pod_name": "web-1"},
        is_reply=True,
        l7={"type": "RESPONSE", "dns": {"query": "www.example.com.", "ips": ["198.51.100.8"], "rcode": 0}},
    )
    found = read(tmp_path, flow(destination_names=["api.example.com", "edge.example.net"]), answer, flow())

    assert [(each.scope, each.client, each.name, each.addresses) for each in found.names] == [
        ("prod", "shop/web-1", "api.example.com", ("198.51.100.7",)),
        ("prod", "shop/web-1", "edge.example.net", ("198.51.100.7",)),
        ("prod", "shop/web-1", "www.example.com", ("198.51.100.8",)),
    ]
    assert found.lost == ()


def test_cloud_dns_tells_addresses_in_lines_or_in_fields(tmp_path: Path) -> None:
    fields = [{"domainName": "b.example.com.", "type": "A", "rvalue": "198.51.100.8", "ttl": "300", "class": "IN"}]
    found = read(tmp_path, cloud_dns(), cloud_dns(queryName="b.example.com.", structuredRdata=fields))

    assert [(each.scope, each.network, each.client, each.name, each.addresses) for each in found.names] == [
        ("shop", "vpc", "10.2.1.10", "api.example.com", ("198.51.100.7",)),
        ("shop", "vpc", "10.2.1.10", "b.example.com", ("198.51.100.8",)),
    ]


def test_an_array_of_log_entries_is_read_like_lines(tmp_path: Path) -> None:
    found = read(tmp_path, json.dumps([cloud_dns(), cloud_dns(queryName="b.example.com.")], indent=1))

    assert [each.name for each in found.names] == ["api.example.com", "b.example.com"]


def test_files_are_told_by_what_they_hold_packed_or_not(tmp_path: Path) -> None:
    (tmp_path / "one.log.gz").write_bytes(gzip.compress(json.dumps(resolver()).encode() + b"\n"))
    (tmp_path / "two").write_text(json.dumps(cloud_dns(queryName="b.example.com.")) + "\n", encoding="utf-8")

    assert [each.name for each in read_names([tmp_path]).names] == ["api.example.com", "b.example.com"]


def test_bad_lines_are_counted_with_the_reason_and_cost_no_other_line(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        resolver("a.example.com."),
        "{ cut",
        resolver("."),
        resolver("x" * 300),
        resolver("b.example.com.", query_timestamp="yesterday"),
        resolver("c.example.com."),
    )

    assert [each.name for each in found.names] == ["a.example.com", "c.example.com"]
    assert {each.reason: each.lines for each in found.lost} == {
        "no JSON": 1,
        "no name": 1,
        "a name of more than 255 characters": 1,
        "no time": 1,
    }


def test_hostile_names_are_escaped_and_international_ones_stay_as_they_were_logged(tmp_path: Path) -> None:
    found = read(tmp_path, resolver("evil\u001b[31m.example.com."), resolver("XN--BCHER-KVA.example."))

    assert [each.name for each in found.names] == ["evil\\x1b[31m.example.com", "xn--bcher-kva.example"]


def test_a_file_that_is_no_such_log_is_lost_and_said(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"hello": "world"}\n', encoding="utf-8")
    (tmp_path / "empty.log").write_text("", encoding="utf-8")
    found = read(tmp_path, resolver())

    assert len(found.names) == 1
    reasons = {each.file.rpartition("/")[2]: each.reason for each in found.lost}
    assert "no log with names" in reasons["other.json"]
    assert reasons["empty.log"] == "it is empty"


def test_a_broken_stream_is_lost_and_the_other_files_are_read(tmp_path: Path) -> None:
    whole = gzip.compress("".join(json.dumps(resolver(f"{n}.example.com.")) + "\n" for n in range(5000)).encode())
    (tmp_path / "a.log.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "b.log.gz").write_bytes(gzip.compress(json.dumps(resolver("good.example.com.")).encode() + b"\n"))
    found = read_names([tmp_path])

    assert "good.example.com" in [each.name for each in found.names]
    assert [each.file.rpartition("/")[2] for each in found.lost] == ["a.log.gz"]


def test_a_place_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_names([tmp_path / "nowhere"])
