"""Getting into AWS accounts: credentials, roles, organizations."""

import os
from typing import cast

import msgspec
from botocore.credentials import Credentials, DeferredRefreshableCredentials, create_assume_role_refresher
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound, UnknownRegionError
from botocore.session import Session

from cloudseg.errors import CollectError, ConfigError, CredentialsError
from cloudseg.providers.aws.calls import call
from cloudseg.providers.aws.clients import Clients, brief_config_of, make_client, open_session
from cloudseg.providers.aws.failures import (
    EXPIRED,
    FAILURES,
    NO_CREDENTIALS,
    REFUSED_CREDENTIALS,
    UNREADABLE,
    detail_of,
    error_code,
    reason_of,
)
from cloudseg.providers.aws.options import AwsOptions
from cloudseg.providers.aws.regions import no_such_region

__all__ = ["Caller", "Login", "assume", "home_region", "identify", "logins"]

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
    """Where account-wide questions are asked: a chosen region, else the configured one, else us-east-1.

    botocore reads AWS_DEFAULT_REGION, then the profile; it does not read AWS_REGION:
    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/configuration.html.

    Raises:
        CollectError: the configured region does not exist.
    """
    known = {region for name in session.get_available_partitions() for region in _ec2_regions(session, name)}
    chosen = next((region for region in options.regions if region in known), None)
    configured = cast("str | None", session.get_config_variable("region"))
    if chosen or not configured:
        return chosen or DEFAULT_REGION
    try:
        # By the form of the name: a region may be newer than this botocore.
        session.get_partition_for_region(configured)
    except UnknownRegionError as error:
        place = "AWS_DEFAULT_REGION" if os.environ.get("AWS_DEFAULT_REGION") else f"the profile in {_config_file()}"
        raise CollectError(
            f"AWS region {configured!r}, set by {place}, does not exist; correct it there, or name a --region: "
            f"{no_such_region(configured, sorted(known))}"
        ) from error
    return configured


def _ec2_regions(session: Session, partition: str) -> list[str]:
    return session.get_available_regions("ec2", partition_name=partition)


def _config_file() -> str:
    return os.environ.get("AWS_CONFIG_FILE") or "~/.aws/config"


def logins(options: AwsOptions) -> tuple[Login, ...]:
    """The ways into the accounts that the options name.

    Raises:
        CredentialsError: there are no credentials, what says where they are is wrong, or they are not accepted where
            an organization is listed.
        CollectError: the accounts of the organization cannot be listed, or the configured region does not exist.
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
    label = f"profile {profile}" if profile else "default credentials"
    try:
        session = open_session(profile)
        # For the clients that botocore makes by itself when a profile says to assume a role.
        session.set_default_client_config(brief_config_of(options))
        home = home_region(session, options)
        if not session.get_config_variable("region"):
            session.set_config_variable("region", home)
        credentials = session.get_credentials()
    except ProfileNotFound as error:
        known = ", ".join(Session().available_profiles) or "none"
        raise CredentialsError(
            f"AWS profile {profile or os.environ.get('AWS_PROFILE')!r} is not configured (there are: {known}); "
            "name one of them, or add it with: aws configure --profile NAME"
        ) from error
    except NO_CREDENTIALS as error:
        raise _no_credentials(detail_of(error)) from error
    except (BotoCoreError, OSError, *UNREADABLE) as error:
        raise _misconfigured(f"{label}: {detail_of(error)}", error) from error
    if credentials is None:
        raise _no_credentials("none were found")
    return Login(label, session, credentials, home)


def _no_credentials(detail: str) -> CredentialsError:
    return CredentialsError(
        f"no AWS credentials: {detail}; sign in (aws sso login, aws configure), set AWS_PROFILE, or name a --profile"
    )


def _misconfigured(detail: str, error: Exception) -> CredentialsError:
    if isinstance(error, OSError):
        way = (
            f"see that the file or program is there: {_config_file()} (AWS_CONFIG_FILE) and the credential_process or "
            "web_identity_token_file in it, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CA_BUNDLE"
        )
    else:
        way = f"correct {_config_file()} (AWS_CONFIG_FILE), the credentials file, or the AWS_… variables"
    return CredentialsError(f"AWS cannot be entered with what is configured ({detail}); {way}")


def _assumed(base: Login, arn: str, options: AwsOptions, name: str = "") -> Login:
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise ConfigError(f"--assume-role {arn!r} is no role; write arn:aws:iam::111122223333:role/NAME")
    request = {"RoleArn": arn, "RoleSessionName": "cloudseg"}
    if options.external_id is not None:
        request["ExternalId"] = options.external_id
    try:
        client = make_client(base.session, "sts", base.home, brief_config_of(options))
    except BotoCoreError as error:
        raise _refused(f"role {arn}", error) from error
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
    except (*FAILURES, *UNREADABLE) as error:
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


def assume(login: Login) -> None:
    """Have the credentials of a login at hand: for a role, this is where it is assumed.

    Raises:
        CredentialsError: the credentials are missing, expired or refused.
        CollectError: AWS cannot be reached, or what answers is not AWS.
    """
    try:
        login.credentials.get_frozen_credentials()
    except (*FAILURES, *UNREADABLE) as error:
        raise _refused(login.label, error) from error


def identify(login: Login, clients: Clients) -> Caller:
    """Ask AWS who a login is.

    Raises:
        CredentialsError: the credentials are missing, expired or refused.
        CollectError: AWS cannot be reached, or what answers is not AWS.
    """
    try:
        answer = call(clients.need("sts"), "get_caller_identity")
        return Caller(str(answer["Account"]), str(answer["Arn"]))
    except (*FAILURES, *UNREADABLE) as error:
        raise _refused(login.label, error) from error


_OF_NO_SERVICE = frozenset({"", "511"})
"""No code at all, as in a redirection, or HTTP's own for a network that wants a sign-in (RFC 6585, section 6)."""


def _refused(label: str, error: Exception) -> CollectError:
    detail = f"{label}: {detail_of(error)}"
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
    if isinstance(error, BotoCoreError | OSError):
        if reason_of(error) == "malformed" or not isinstance(error, BotoCoreError):
            return _misconfigured(detail, error)
    elif error_code(error) in _OF_NO_SERVICE:
        return CollectError(
            f"what answers is not AWS ({detail}); a sign-in page of the network or a proxy may stand in between: "
            "sign in there, check HTTPS_PROXY, and AWS_ENDPOINT_URL if it is set"
        )
    return CollectError(
        f"AWS cannot be reached ({detail}); check the network, the proxy, the region, and AWS_ENDPOINT_URL and "
        "AWS_CA_BUNDLE if they are set"
    )
