"""Getting into AWS accounts: credentials, roles, organizations."""

import os
from typing import cast

import msgspec
from botocore.credentials import Credentials, DeferredRefreshableCredentials, create_assume_role_refresher
from botocore.exceptions import ClientError, ProfileNotFound
from botocore.session import Session

from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.aws.calls import call
from cloudseg.providers.aws.clients import Clients, config_of, open_session
from cloudseg.providers.aws.failures import (
    EXPIRED,
    FAILURES,
    NO_CREDENTIALS,
    REFUSED_CREDENTIALS,
    detail_of,
    error_code,
    reason_of,
)
from cloudseg.providers.aws.options import AwsOptions

__all__ = ["Caller", "Login", "home_region", "identify", "logins"]

DEFAULT_REGION = "us-east-1"
MEMBER_ROLE = "OrganizationAccountAccessRole"
"""The role that AWS Organizations makes in the accounts it creates."""


class Login(msgspec.Struct, frozen=True):
    """A way into one account: ``label`` names it for people; ``account`` and ``name`` are known for members only."""

    label: str
    session: Session
    credentials: Credentials
    home: str
    account: str = ""
    name: str = ""


class Caller(msgspec.Struct, frozen=True):
    """Who a login turned out to be."""

    account: str
    arn: str


def home_region(session: Session, options: AwsOptions) -> str:
    """Where account-wide questions are asked: a chosen region, else the configured one, else us-east-1."""
    known = {region for name in session.get_available_partitions() for region in _ec2_regions(session, name)}
    chosen = next((region for region in options.regions if region in known), None)
    return chosen or cast("str | None", session.get_config_variable("region")) or DEFAULT_REGION


def _ec2_regions(session: Session, partition: str) -> list[str]:
    return session.get_available_regions("ec2", partition_name=partition)


def logins(options: AwsOptions) -> tuple[Login, ...]:
    """The ways into the accounts that the options name.

    Raises:
        CredentialsError: there are no credentials, or they are not accepted where an organization is listed.
        CollectError: the accounts of the organization cannot be listed.
        ConfigError: the options contradict each other.
    """
    profiles: tuple[str | None, ...] = options.profiles or (None,)
    if len(profiles) > 1 and (options.assume_roles or options.organization):
        raise ConfigError(
            "several profiles cannot be combined with --assume-role or --aws-organization; "
            "name the one profile whose credentials assume the roles"
        )
    direct = tuple(_direct(profile, options) for profile in dict.fromkeys(profiles))
    if options.organization:
        return _members(direct[0], options)
    if options.assume_roles:
        return tuple(_assumed(direct[0], arn, options) for arn in dict.fromkeys(options.assume_roles))
    return direct


def _direct(profile: str | None, options: AwsOptions) -> Login:
    try:
        session = open_session(profile)
        home = home_region(session, options)
        credentials = session.get_credentials()
    except ProfileNotFound as error:
        known = ", ".join(Session().available_profiles) or "none"
        raise CredentialsError(
            f"AWS profile {profile or os.environ.get('AWS_PROFILE')!r} is not configured (there are: {known}); "
            "name one of them, or add it with: aws configure --profile NAME"
        ) from error
    except NO_CREDENTIALS as error:
        raise _no_credentials(detail_of(error)) from error
    if credentials is None:
        raise _no_credentials("none were found")
    return Login(f"profile {profile}" if profile else "default credentials", session, credentials, home)


def _no_credentials(detail: str) -> CredentialsError:
    return CredentialsError(
        f"no AWS credentials: {detail}; sign in (aws sso login, aws configure), set AWS_PROFILE, or name a --profile"
    )


def _assumed(base: Login, arn: str, options: AwsOptions, name: str = "") -> Login:
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise ConfigError(f"--assume-role {arn!r} is no role; write arn:aws:iam::111122223333:role/NAME")
    request = {"RoleArn": arn, "RoleSessionName": "cloudseg"}
    if options.external_id is not None:
        request["ExternalId"] = options.external_id
    client = base.session.create_client("sts", region_name=base.home, config=config_of(options))
    credentials = DeferredRefreshableCredentials(
        refresh_using=create_assume_role_refresher(client, request), method="assume-role"
    )
    return Login(f"role {arn}", base.session, credentials, base.home, parts[4], name)


def _members(base: Login, options: AwsOptions) -> tuple[Login, ...]:
    clients = Clients(base.session, base.credentials, base.home, options)
    caller = identify(base, clients)
    given = options.assume_roles[0] if options.assume_roles else MEMBER_ROLE
    role = given.partition(":role/")[2] or given
    try:
        pages = clients.need("organizations").get_paginator("list_accounts").paginate()
        accounts = [account for page in pages for account in page["Accounts"]]
    except FAILURES as error:
        raise CollectError(
            f"the accounts of the organization cannot be listed as {caller.arn}: {detail_of(error)}; use credentials "
            "of the management account or of a delegated administrator that allow organizations:ListAccounts"
        ) from error
    found: list[Login] = []
    for account in accounts:
        if account.get("State", account.get("Status")) != "ACTIVE":
            continue
        if account["Id"] == caller.account:
            found.append(msgspec.structs.replace(base, account=account["Id"], name=account.get("Name", "")))
        else:
            arn = f"arn:{clients.partition}:iam::{account['Id']}:role/{role}"
            found.append(_assumed(base, arn, options, account.get("Name", "")))
    return tuple(found)


def identify(login: Login, clients: Clients) -> Caller:
    """Ask AWS who a login is; for a role, this is where it is assumed.

    Raises:
        CredentialsError: the credentials are missing, expired or refused.
        CollectError: AWS cannot be reached.
    """
    try:
        answer = call(clients.need("sts"), "get_caller_identity")
    except FAILURES as error:
        raise _refused(login, error) from error
    return Caller(str(answer["Account"]), str(answer["Arn"]))


def _refused(login: Login, error: Exception) -> CollectError:
    detail = f"{login.label}: {detail_of(error)}"
    if isinstance(error, NO_CREDENTIALS):
        return _no_credentials(detail)
    code = error_code(error)
    if code in EXPIRED:
        return CredentialsError(
            f"the AWS credentials have expired ({detail}); sign in again, for example: aws sso login"
        )
    if code in REFUSED_CREDENTIALS:
        return CredentialsError(
            f"AWS does not accept the credentials ({detail}); check the keys and this machine's clock"
        )
    if isinstance(error, ClientError) and reason_of(error) == "denied":
        return CredentialsError(
            f"the account cannot be entered ({detail}); check the role's trust policy and its external id"
        )
    return CollectError(
        f"AWS cannot be reached ({detail}); check the network, the proxy, the region, and AWS_ENDPOINT_URL if it is set"
    )
