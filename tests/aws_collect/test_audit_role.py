"""The Terraform module of the audit role, held against the calls that the collector makes."""

import json
import re
from pathlib import Path

import pytest

from cloudseg.providers.aws.operations import iam_actions

MODULE = Path(__file__).parents[2] / "terraform" / "modules" / "audit-role"
LARGEST_MANAGED_POLICY = 6144
"""Characters without white space, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""


def text(name: str) -> str:
    return (MODULE / name).read_text()


def test_the_role_may_do_what_the_collector_does_and_nothing_else() -> None:
    assert json.loads(text("actions.json")) == iam_actions()
    assert 'Action   = jsondecode(file("${path.module}/actions.json"))' in text("main.tf")


def test_every_permission_only_reads() -> None:
    names = [action.partition(":")[2] for action in iam_actions()]
    assert [name for name in names if not re.match(r"(Describe|List|Get|Search|BatchGet)[A-Z]|GET$", name)] == []
    assert not any("*" in name for name in names)


def test_the_policy_fits_into_a_managed_policy_with_room_for_the_organization() -> None:
    read = {"Sid": "Read", "Effect": "Allow", "Action": iam_actions(), "Resource": "*"}
    role = "arn:aws-us-gov:iam::*:role/" + "r" * 64
    organization = [
        {"Sid": "ListAccounts", "Effect": "Allow", "Action": "organizations:ListAccounts", "Resource": "*"},
        {"Sid": "EnterAccounts", "Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role},
    ]
    policy = {"Version": "2012-10-17", "Statement": [read, *organization]}
    assert len(json.dumps(policy, separators=(",", ":"))) <= LARGEST_MANAGED_POLICY


@pytest.mark.parametrize(("file", "kind"), [("variables.tf", "variable"), ("outputs.tf", "output")])
def test_the_readme_lists_every_input_and_output(file: str, kind: str) -> None:
    section = text("README.md").partition("## Inputs")[2]
    inputs, _, outputs = section.partition("## Outputs")
    listed = re.findall(r"^\| `(\w+)` \|", inputs if kind == "variable" else outputs, re.MULTILINE)
    assert sorted(listed) == sorted(re.findall(rf'^{kind} "(\w+)"', text(file), re.MULTILINE))


def test_every_variable_has_a_type_and_a_description() -> None:
    blocks = re.split(r'^variable "', text("variables.tf"), flags=re.MULTILINE)[1:]
    assert [block for block in blocks if "description =" not in block or "type        =" not in block] == []
