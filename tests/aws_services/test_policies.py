import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudseg.providers.aws.translate.policies import admission, statements_of
from cloudseg.traffic import ALL_ADDRESSES, NO_ADDRESSES, AddressSet

OFFICE = AddressSet.parse("203.0.113.0/24")
ALLOW: dict[str, Any] = {"Effect": "Allow", "Principal": "*", "Action": "es:*", "Resource": "*"}
FROM_OFFICE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
NOT_OFFICE = {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}


def anonymous(*statements: dict[str, Any]) -> AddressSet | None:
    read = statements_of(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    assert read is not None
    admitted = admission(read)
    return None if admitted is None else admitted.anonymous


# The expectations follow from the IAM user guide on how Allow, Deny and conditions combine.
@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([ALLOW], ALL_ADDRESSES),
        ([ALLOW | {"Principal": {"AWS": "*"}}], ALL_ADDRESSES),
        ([ALLOW | {"Principal": {"AWS": ["*", "arn:aws:iam::1:root"]}}], ALL_ADDRESSES),
        ([ALLOW | {"Principal": {"AWS": "arn:aws:iam::1:root"}}], NO_ADDRESSES),
        ([ALLOW | {"Principal": {"Service": "es.amazonaws.com"}}], NO_ADDRESSES),
        ([ALLOW | {"Condition": FROM_OFFICE}], OFFICE),
        ([ALLOW | {"Condition": {"IpAddress": {"AWS:sourceip": "203.0.113.0/24"}}}], OFFICE),
        ([ALLOW | {"Condition": NOT_OFFICE}], ALL_ADDRESSES - OFFICE),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": NOT_OFFICE}], OFFICE),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": FROM_OFFICE}], ALL_ADDRESSES - OFFICE),
        ([ALLOW, {**ALLOW, "Effect": "Deny"}], NO_ADDRESSES),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Action": "es:ESHttpDelete"}], ALL_ADDRESSES),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}], ALL_ADDRESSES),
        ([ALLOW | {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}], NO_ADDRESSES),
        (
            [ALLOW, {**ALLOW, "Effect": "Deny", "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}],
            NO_ADDRESSES,
        ),
        ([ALLOW | {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}], NO_ADDRESSES),
        ([ALLOW | {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}], ALL_ADDRESSES),
        ([ALLOW | {"Condition": {"StringLike": {"aws:Referer": "https://example.com/*"}}}], ALL_ADDRESSES),
        ([{"Effect": "Allow", "NotPrincipal": {"AWS": "x"}, "Action": "es:*", "Resource": "*"}], ALL_ADDRESSES),
    ],
)
def test_whom_a_policy_lets_in_without_credentials(statements: list[dict[str, Any]], expected: AddressSet) -> None:
    assert anonymous(*statements) == expected


def test_a_source_that_is_no_address_is_unknown() -> None:
    assert anonymous(ALLOW | {"Condition": {"IpAddress": {"aws:SourceIp": "the office"}}}) is None


def test_a_policy_whose_quotes_are_escaped_once_more_is_read() -> None:
    plain = json.dumps({"Statement": ALLOW})
    assert statements_of(plain.replace('"', '\\"')) == statements_of(plain) != None  # noqa: E711


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "7", '{"Statement": 3}', '{"Statement": []}', "[" * 100_000, '"\\ud800"', "\ud800"]
)
def test_a_text_that_is_no_policy_is_none(text: str) -> None:
    assert statements_of(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["*", "Deny", "aws:SourceIp"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["Statement", "Effect", "Principal", "AWS", "Condition", "IpAddress", "aws:SourceIp", "Action"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_no_policy_raises(document: object) -> None:
    statements = statements_of(json.dumps({"Statement": document}))
    if statements is not None:
        admission(statements)


@given(st.lists(st.sampled_from([ALLOW, ALLOW | {"Condition": FROM_OFFICE}, ALLOW | {"Principal": {"AWS": "x"}}])))
def test_a_deny_never_lets_more_in(statements: list[dict[str, Any]]) -> None:
    before = anonymous(ALLOW | {"Condition": FROM_OFFICE}, *statements)
    after = anonymous(ALLOW | {"Condition": FROM_OFFICE}, *statements, {**ALLOW, "Effect": "Deny"})
    assert before is not None
    assert after is not None
    assert after <= before
