"""What a person writes for an end, and what it stands for: small estates, worked out by hand."""

import pytest

from cloudseg.checks.example_estates import EstateBuilder
from cloudseg.errors import InputError
from cloudseg.model import Carries, Estate, Group, Interface, Network, Workload
from cloudseg.reach.names import Named, NameIndex
from cloudseg.traffic import GLOBAL_UNICAST, AddressSet
from cloudseg.traffic import NO_ADDRESSES as NO

WEB, APP = ("eni-web-1", "eni-web-2"), ("eni-app",)


def builder() -> EstateBuilder:
    """Two web interfaces in the public subnet, an application in the private one, an instance behind each."""
    made = EstateBuilder()
    made.group("sg-web", name="web")
    made.group("sg-app", name="app")
    made.group("sg-idle", name="idle")
    for own, workload, name, tier, address, public in (
        ("eni-web-1", "i-web-1", "web-1", "web", "10.0.1.11", "203.0.113.11"),
        ("eni-web-2", "i-web-2", "web-2", "web", "10.0.1.12", ""),
        ("eni-app", "i-app", "App", "app", "10.0.2.11", ""),
    ):
        tags = {"Name": name, "tier": tier}
        made.put("workloads", Workload(id=made.id(workload), kind="instance", name=name, region="eu-west-1", tags=tags))
        web = tier == "web"
        made.interface(
            own,
            "subnet-public" if web else "subnet-private",
            ("sg-web" if web else "sg-app",),
            address,
            public,
            workload=made.id(workload),
        )
    return made


def find(estate: Estate, word: str) -> Named:
    return NameIndex(estate).find(word, "--from")


def owns(named: Named) -> tuple[str, ...]:
    return tuple(identifier.rsplit(":", 1)[-1] for identifier in named.interfaces)


def refusal(estate: Estate, word: str) -> str:
    with pytest.raises(InputError) as caught:
        find(estate, word)
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("eni-app", APP),
        ("aws:111122223333:eu-west-1:eni-app", APP),
        ("i-web-1", ("eni-web-1",)),
        ("arn:aws:ec2:eu-west-1:111122223333:instance/i-web-1", ("eni-web-1",)),
        ("arn:aws:ec2:eu-west-1:111122223333:security-group/sg-web", WEB),
        ("sg-web", WEB),
        ("subnet-public", WEB),
        ("vpc-1", (*APP, *WEB)),
        ("web-1", ("eni-web-1",)),
        ("WEB-1", ("eni-web-1",)),
        ("SG-WEB", WEB),
        ("web", WEB),
        ("tier=web", WEB),
        ("10.0.2.11", APP),
        ("203.0.113.11", ("eni-web-1",)),
    ],
)
def test_ids_names_tags_and_addresses_stand_for_interfaces(word: str, expected: tuple[str, ...]) -> None:
    named = find(builder().build(), word)
    assert owns(named) == expected
    assert not named.outside


def test_the_internet_is_every_address_of_it() -> None:
    for word in ("internet", "Internet"):
        named = find(builder().build(), word)
        assert (named.interfaces, named.outside) == ((), GLOBAL_UNICAST)


def test_an_address_that_nobody_bears_is_outside() -> None:
    named = find(builder().build(), "198.51.100.7")
    assert (named.interfaces, named.outside, named.notes) == ((), AddressSet.parse("198.51.100.7"), ())


def test_an_address_of_a_network_that_nobody_bears_is_told() -> None:
    (note,) = find(builder().build(), "10.0.1.99").notes
    assert note.startswith("10.0.1.99 lies in vpc-1, where no interface that was read bears it")


def test_a_range_is_the_interfaces_in_it_and_the_addresses_outside() -> None:
    for word in ("10.0.1.0/24", "10.0.1.0-10.0.1.255"):
        named = find(builder().build(), word)
        assert owns(named) == WEB
        assert named.outside == AddressSet.parse("10.0.1.0/24")


def test_an_exact_name_goes_before_one_in_another_case() -> None:
    made = builder()
    assert owns(find(made.build(), "app")) == APP
    made.interface("eni-other", address="10.0.2.50", name="WEB-1")
    assert owns(find(made.build(), "WEB-1")) == ("eni-other",)
    assert owns(find(made.build(), "web-1")) == ("eni-web-1",)


def test_a_tag_called_name_is_a_name() -> None:
    made = builder()
    made.interface("eni-tagged", address="10.0.2.51", name="auto", tags={"Name": "ledger"})
    assert owns(find(made.build(), "ledger")) == ("eni-tagged",)


def test_the_own_tag_of_an_interface_goes_before_that_of_its_instance() -> None:
    made = builder()
    made.interface(
        "eni-app", "subnet-private", ("sg-app",), "10.0.2.11", workload=made.id("i-app"), tags={"tier": "db"}
    )
    assert owns(find(made.build(), "tier=db")) == APP
    assert refusal(made.build(), "tier=app").endswith("values of tier are db, web")


def test_a_name_that_an_instance_shares_with_its_only_interface_is_one_thing() -> None:
    made = builder()
    made.interface("eni-app", "subnet-private", ("sg-app",), "10.0.2.11", workload=made.id("i-app"), name="App")
    named = find(made.build(), "App")
    assert owns(named) == APP
    assert named.text == "i-app (App)"


def test_instances_of_one_network_that_share_a_name_are_all_meant() -> None:
    made = builder()
    for number in (1, 2):
        worker = Workload(id=made.id(f"i-w{number}"), kind="instance", name="worker", region="eu-west-1")
        made.put("workloads", worker)
        made.interface(f"eni-w{number}", address=f"10.0.2.6{number}", workload=worker.id)
    named = find(made.build(), "worker")
    assert owns(named) == ("eni-w1", "eni-w2")
    assert named.text == "worker (2 instances)"


def test_a_name_of_different_things_lists_them_with_what_tells_them_apart() -> None:
    made = builder()
    made.group("sg-web", name="web-1")
    message = refusal(made.build(), "web-1")
    first, *choices = message.split("\n")
    assert first == "--from 'web-1' stands for several things; write the id of the one that is meant:"
    assert sorted(choices) == [
        "  --from i-web-1   instance 'web-1', in vpc-1, 1 interface, aws 111122223333 eu-west-1",
        "  --from sg-web    security-group 'web-1', in vpc-1, 2 interfaces, aws 111122223333 eu-west-1",
    ]


def test_groups_of_one_name_in_two_networks_are_two_things() -> None:
    made = builder()
    made.network("vpc-2", "10.1.0.0/16")
    made.group("sg-other", name="web", network="vpc-2")
    made.interface("eni-other", address="10.0.2.70", groups=("sg-other",))
    assert "--from sg-other" in refusal(made.build(), "web")
    assert "--from sg-web" in refusal(made.build(), "web")


def test_an_address_in_two_networks_lists_its_interfaces() -> None:
    made = builder()
    made.put(
        "networks", Network(id=made.id("vpc-2"), kind="vpc", pipeline="aws", addresses=AddressSet.parse("10.0.0.0/16"))
    )
    twin = Interface(
        id=made.id("eni-twin"),
        kind="network-interface",
        network=made.id("vpc-2"),
        subnet=None,
        addresses=AddressSet.parse("10.0.2.11"),
    )
    made.put("interfaces", twin)
    message = refusal(made.build(), "10.0.2.11")
    assert "--from eni-app    network-interface 'App', in vpc-1" in message
    assert "--from eni-twin   network-interface, in vpc-2" in message


def test_an_own_id_of_two_accounts_is_written_in_full() -> None:
    made = builder()
    other = "aws:444455556666:eu-west-1:eni-app"
    twin = Interface(id=other, kind="network-interface", network="aws:444455556666:eu-west-1:vpc-9", subnet=None)
    made.put("interfaces", twin)
    estate = made.build()
    assert f"--from {other}   " in refusal(estate, "eni-app")
    assert owns(find(estate, made.id("eni-app"))) == APP


def test_what_close_to_a_word_is_proposed() -> None:
    estate = builder().build()
    assert "did you mean web-1" in refusal(estate, "wep-1")
    assert refusal(estate, "tier=wbe").endswith("did you mean tier=web?")
    assert refusal(estate, "tier=zzz").endswith("values of tier are app, web")
    assert refusal(estate, "Tier=web").endswith("no interface has the tag Tier; did you mean tier?")


def test_what_is_no_end_is_called_what_it_is() -> None:
    assert refusal(builder().build(), "rtb-public").endswith(
        "it is a route-table, which sends and takes nothing itself"
    )


def test_names_of_classes_are_refused_for_they_do_not_last() -> None:
    assert "change from run to run" in refusal(builder().build(), "c1")


@pytest.mark.parametrize("word", ["", "all", "none", "10.0.1.11, 10.0.1.12", "=", "=web", "\x00"])
def test_words_that_mean_nothing_are_refused(word: str) -> None:
    assert "names nothing here" in refusal(builder().build(), word)


def test_without_interfaces_that_is_what_is_said() -> None:
    assert refusal(EstateBuilder().build(), "web").endswith("there are no interfaces in what was read")


def test_a_group_without_members_is_said_to_be_unjudged() -> None:
    named = find(builder().build(), "idle")
    assert named.ends == ()
    assert named.notes == (
        "sg-idle (idle) has no interface that was read, so no packet from it or to it is judged here",
    )


def test_a_service_without_interfaces_is_said_to_be_unjudged() -> None:
    made = builder()
    made.service("exports", "s3")
    named = find(made.build(), "exports")
    assert (named.ends, named.bare, len(named.services)) == ((), True, 1)
    (note,) = named.notes
    assert note.endswith("is a managed service without an interface that was read: who reaches it is not judged here")


def test_a_service_is_judged_by_its_interfaces_where_they_were_read() -> None:
    made = builder()
    made.interface("eni-db", address="10.0.2.90")
    made.service("orders", "rds", interfaces=frozenset({made.id("eni-db")}))
    named = find(made.build(), "orders")
    assert (owns(named), named.bare, len(named.services), named.notes) == (("eni-db",), False, 1, ())


@pytest.mark.parametrize("addresses", ["198.51.100.0/24", "1.0.0.0-3.5.63.255", "2001:db8::/32"])
def test_ends_outside_are_understood_as_documents_write_them(addresses: str) -> None:
    named = find(builder().build(), f"external:{addresses}")
    assert named.outside == AddressSet.parse(addresses)


def test_a_group_that_was_not_read_stands_for_those_who_carry_it() -> None:
    made = builder()
    made.interface("eni-x", address="10.0.2.80", groups=("sg-unread",))
    assert owns(find(made.build(), "sg-unread")) == ("eni-x",)


def test_interfaces_whose_groups_were_not_read_may_be_members() -> None:
    made = builder()
    made.interface("eni-x", address="10.0.2.80", attached_unread=True)
    (note,) = find(made.build(), "sg-web").notes
    assert note == "sg-web (web) may have more members: of 1 interface it was not read which groups they carry"


def test_several_words_stand_for_everything_that_they_name() -> None:
    index = NameIndex(builder().build())
    both = index.find_all(["web-1", "tier=app", "198.51.100.0/24", "web-1"], "--to")
    assert both is not None
    assert owns(both) == ("eni-app", "eni-web-1")
    assert both.outside == AddressSet.parse("198.51.100.0/24")
    assert index.find_all([], "--to") is None


def test_hostile_names_do_not_reach_the_message() -> None:
    made = builder()
    for number in (1, 2):
        name = "evil\x1b[2J\nname"
        network = made.id(f"vpc-{number}")
        made.put("networks", Network(id=network, kind="vpc", name="net\x1bwork", pipeline="aws"))
        own = made.id(f"sg-evil-{number}")
        made.put("groups", Group(id=own, kind="security-group", name=name, selector=Carries(own), networks=(network,)))
        made.interface(f"eni-evil-{number}", address=f"10.0.2.9{number}", groups=(f"sg-evil-{number}",))
    message = refusal(made.build(), "evil\x1b[2J\nname")
    assert len(message.split("\n")) == 3
    assert all(line.isprintable() for line in message.split("\n"))


def cluster() -> Estate:
    """Workloads of two namespaces, as manifests name them."""
    made = EstateBuilder()
    for namespace in ("shop", "tooling"):
        for name in ("web", "db"):
            own = f"kubernetes:c:{namespace}/{name}[Deployment]"
            owner = f"kubernetes:c:{namespace}/Deployment/{name}"
            made.put("workloads", Workload(id=owner, kind="Deployment", name=name))
            tags = {"namespace": namespace}
            made.put(
                "interfaces",
                Interface(
                    id=own, kind="pod", name=name, network=None, subnet=None, addresses=NO, tags=tags, workload=owner
                ),
            )
    return made.build()


def test_a_workload_is_named_by_its_namespace_and_name() -> None:
    assert owns(find(cluster(), "shop/web")) == ("shop/web[Deployment]",)


def test_a_workload_and_its_pods_are_one_choice_written_as_shells_take_it() -> None:
    _, *choices = refusal(cluster(), "db").split("\n")
    assert choices == [
        "  --from 'shop/db[Deployment]'      pod 'db', 1 interface, kubernetes c",
        "  --from 'tooling/db[Deployment]'   pod 'db', 1 interface, kubernetes c",
    ]


def test_a_word_that_is_the_value_of_a_tag_is_asked_back_with_the_tag() -> None:
    assert refusal(cluster(), "shop") == "--from 'shop' names nothing here: did you mean namespace=shop?"


@pytest.mark.parametrize("word", ["web/nic0", "web/nic0 (us-central1-a)", "zones/us-central1-a/instances/web/nic0"])
def test_what_texts_call_something_by_the_names_in_its_id_means_it(word: str) -> None:
    own = "gcp:shop:zones/us-central1-a/instances/web/nic0"
    network = Network(id="gcp:shop:global/networks/main", kind="vpc-network", pipeline="gcp")
    interface = Interface(id=own, kind="network-interface", name="web", network=network.id, subnet=None)
    estate = Estate(networks={network.id: network}, interfaces={own: interface})
    assert find(estate, word).interfaces == (own,)
