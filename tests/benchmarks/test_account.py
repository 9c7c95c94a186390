from collections import Counter

import msgspec
import pytest

from benchmarks.account import Account, Size, describe
from benchmarks.account_snapshot import snapshot_of
from benchmarks.recording import Recorded
from benchmarks.slow_api import longest_chain
from cloudseg.engine import AuditRequest, run_audit
from cloudseg.providers.aws.translate import translate
from cloudseg.snapshot import Part, Snapshot

SIZE = Size.of_rules(500)


def written(snapshot: Snapshot) -> dict[Part, bytes]:
    return {part: msgspec.json.encode(snapshot.read(part)) for part in snapshot.parts()}


@pytest.fixture(scope="module")
def account() -> Account:
    return describe(SIZE)


def test_the_same_size_and_seed_give_the_same_snapshot(account: Account) -> None:
    assert written(snapshot_of(describe(SIZE))) == written(snapshot_of(account))


def test_another_seed_gives_another_account(account: Account) -> None:
    assert describe(SIZE, seed=2) != account


def test_an_account_has_the_size_asked_for(account: Account) -> None:
    assert sum(len(group.rules) for group in account.groups) == SIZE.rules
    assert len(account.groups) == SIZE.groups
    assert len(account.instances) == SIZE.instances


def test_no_rule_stands_twice_in_a_group(account: Account) -> None:
    for group in account.groups:
        assert max(Counter(rule.identity for rule in group.rules).values()) == 1


def test_addresses_belong_to_one_interface_each() -> None:
    account = describe(Size.of_rules(20_000))
    snapshot = snapshot_of(account)
    answer = snapshot.read(Part("aws", "111122223333", "eu-west-1", "ec2", "describe_network_interfaces"))
    found = msgspec.convert(answer, dict[str, list[dict[str, object]]])["NetworkInterfaces"]
    assert max(Counter(interface["PrivateIpAddress"] for interface in found).values()) == 1


def test_the_snapshot_translates_without_a_gap_and_audits_in_full(account: Account) -> None:
    estate = translate(snapshot_of(account))
    assert estate.gaps == ()
    assert estate.notes == ()
    described = {group.name for group in account.groups}
    rules = [rule for each in estate.rule_sets.values() if each.name in described for rule in each.rules]
    assert len(rules) == SIZE.rules
    document = run_audit(estate, AuditRequest())
    assert document.complete
    assert document.findings


def test_the_longest_chain_counts_pages_and_what_waits_for_them() -> None:
    calls = [
        Recorded("sts", "eu-west-1", "GetCallerIdentity", {}),
        Recorded("ec2", "eu-west-1", "DescribeVpcs", {}),
        Recorded("ec2", "eu-west-1", "DescribeManagedPrefixLists", {}),
        Recorded("ec2", "eu-west-1", "DescribeManagedPrefixLists", {"NextToken": "1"}),
        Recorded("ec2", "eu-west-1", "GetManagedPrefixListEntries", {"PrefixListId": "pl-1"}),
        Recorded("ec2", "eu-west-1", "GetManagedPrefixListEntries", {"PrefixListId": "pl-2"}),
        Recorded("ec2", "eu-west-1", "GetManagedPrefixListEntries", {"PrefixListId": "pl-2", "NextToken": "1"}),
    ]
    # Who asks, two pages of lists, two pages of the entries of one.
    assert longest_chain(calls) == 5
