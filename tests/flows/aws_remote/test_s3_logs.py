"""Flow logs in a bucket: a real client against moto's server, and against one that refuses."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from cloudseg.errors import CollectError, CredentialsError, InputError
from cloudseg.flows.files import grouped
from cloudseg.providers.aws import flow_files
from cloudseg.providers.aws.flow_files import S3Logs
from cloudseg.providers.aws.options import AwsOptions
from tests.flows.reading import rows_of
from tests.loopback import Handler, Reply, listening

if TYPE_CHECKING:
    from pathlib import Path

Aws = Callable[..., dict[str, Any]]

HEADER = "interface-id srcaddr dstaddr srcport dstport protocol start end action"
DAY = 86_400
JANUARY = 1_767_225_600  # 2026-01-01
ONCE = AwsOptions(attempts=1, connect_timeout=2.0, read_timeout=5.0)


def log(marker: int, at: int = JANUARY) -> bytes:
    return gzip.compress(f"{HEADER}\neni-1 10.0.0.5 10.0.1.6 {marker} 443 6 {at} {at + 60} ACCEPT\n".encode())


def put(aws: Aws, bucket: str, *keys: str) -> None:
    aws("s3", "create_bucket", Bucket=bucket)
    for place, key in enumerate(keys):
        aws("s3", "put_object", Bucket=bucket, Key=key, Body=log(1000 + place))


def names_of(source: S3Logs) -> list[list[str]]:
    """The names of the files, batch by batch."""
    with closing(source.batches()) as batches:
        return [[file.name for file in batch.files] for batch in batches]


def keys_of(source: S3Logs) -> list[str]:
    return [name.split("/", 3)[3] for names in names_of(source) for name in names]


PLAIN = "AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/01/{day:02}/111122223333_vpcflowlogs_{day:02}.log.gz"
HIVE = (
    "AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=01/day={day:02}/"
    "hour=07/111122223333_vpcflowlogs_{day:02}.log.gz"
)
OWN = "mine/2026/01/{day:02}/{day:02}.log.gz"


def test_objects_are_fetched_and_read_and_named_by_their_address(aws: Aws) -> None:
    put(aws, "whole", PLAIN.format(day=3), HIVE.format(day=4))
    source = S3Logs("s3://whole")
    assert source.size == len(log(1000)) + len(log(1001))
    assert names_of(source) == [[f"s3://whole/{PLAIN.format(day=3)}", f"s3://whole/{HIVE.format(day=4)}"]]


def test_the_records_of_a_bucket_know_the_account_of_the_key(aws: Aws) -> None:
    put(aws, "accounts", PLAIN.format(day=3), HIVE.format(day=4), OWN.format(day=5))
    with closing(S3Logs("s3://accounts").batches()) as batches:
        rows = [row for group in grouped(next(batches).files).groups for row in rows_of(group)]
    assert {(row["src_port"], row["scope"], row["status"]) for row in rows} == {
        (1000, "111122223333", "ok"),
        (1001, "111122223333", "ok"),
        (1002, None, "ok"),
    }


def test_copies_are_there_while_their_batch_is_and_gone_afterwards(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    put(aws, "batches", *(f"{name}.log.gz" for name in "abcd"))
    monkeypatch.setattr(flow_files, "BATCH_BYTES", 2 * len(log(1000)) + 10)
    seen: list[Path] = []
    with closing(S3Logs("s3://batches").batches()) as batches:
        for number, batch in enumerate(batches):
            assert [path.exists() for path in seen] == [False] * (2 * number)
            assert all(file.path.stat().st_size == file.size for file in batch.files)
            seen += [file.path for file in batch.files]
    assert len(seen) == 4
    assert not any(path.exists() or path.parent.exists() for path in seen)


def test_who_stops_early_leaves_no_copies(aws: Aws) -> None:
    put(aws, "early", "a.log.gz")
    batches = S3Logs("s3://early").batches()
    path = next(batches).files[0].path
    assert path.exists()
    batches.close()
    assert not path.exists()


def test_an_object_larger_than_a_batch_is_a_batch(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    put(aws, "large", "a.log.gz", "b.log.gz")
    monkeypatch.setattr(flow_files, "BATCH_BYTES", 5)
    with closing(S3Logs("s3://large").batches()) as batches:
        assert [len(batch.files) for batch in batches] == [1, 1]


@pytest.mark.parametrize("layout", [PLAIN, HIVE, OWN], ids=["plain", "hive", "own"])
def test_only_the_days_asked_for_are_fetched_with_a_day_around_them(aws: Aws, layout: str) -> None:
    bucket = f"days-{len(layout)}"
    put(aws, bucket, *(layout.format(day=day) for day in range(1, 11)))
    found = keys_of(S3Logs(f"s3://{bucket}", since=JANUARY + 4 * DAY + 5, until=JANUARY + 5 * DAY + 5))
    assert found == [layout.format(day=day) for day in (4, 5, 6, 7)]
    assert len(keys_of(S3Logs(f"s3://{bucket}", since=JANUARY + 7 * DAY))) == 4
    assert len(keys_of(S3Logs(f"s3://{bucket}", until=JANUARY))) == 2


def test_days_are_compared_across_months_and_years(aws: Aws) -> None:
    days = [
        f"AWSLogs/1/vpcflowlogs/eu-west-1/{day}/x.log.gz"
        for day in ("2025/11/30", "2025/12/30", "2025/12/31", "2026/01/01", "2026/02/01")
    ]
    put(aws, "months", *days)
    assert keys_of(S3Logs("s3://months", since=JANUARY, until=JANUARY + 5)) == days[2:4]


def test_keys_without_a_day_are_all_fetched(aws: Aws) -> None:
    put(aws, "undated", "old/flows-2020.log.gz", "2020/flows.log.gz", "9999/99/99/x.log.gz")
    assert len(keys_of(S3Logs("s3://undated", since=JANUARY))) == 3


def test_a_prefix_is_a_folder_or_an_object_and_no_beginning_of_another_name(aws: Aws) -> None:
    put(aws, "prefix", "logs/a.log.gz", "logs2/b.log.gz", "logs/deep/c.log.gz", "logs")
    assert keys_of(S3Logs("s3://prefix/logs")) == ["logs", "logs/a.log.gz", "logs/deep/c.log.gz"]
    assert keys_of(S3Logs("s3://prefix/logs2/")) == ["logs2/b.log.gz"]
    assert keys_of(S3Logs("s3://prefix/logs/a.log.gz")) == ["logs/a.log.gz"]


def test_markers_and_empty_objects_are_no_logs(aws: Aws) -> None:
    put(aws, "markers", "a.log.gz", "_SUCCESS", "a.log.gz.crc")
    aws("s3", "put_object", Bucket="markers", Key="folder/", Body=b"")
    assert keys_of(S3Logs("s3://markers")) == ["a.log.gz"]


def test_keys_that_would_climb_out_of_the_folder_are_fetched_into_it(aws: Aws) -> None:
    put(aws, "climbing", "../../etc/passwd.gz", "a/" + "x" * 900 + ".log.gz")
    with closing(S3Logs("s3://climbing").batches()) as batches:
        (first, second) = next(batches).files
        assert first.path.parent == second.path.parent
        assert (first.path.name, second.path.name) == ("000000.gz", "000001.gz")


def test_nothing_below_a_prefix_is_said(aws: Aws) -> None:
    put(aws, "little", PLAIN.format(day=1))
    with pytest.raises(InputError, match="there are no objects below it; check with: aws s3 ls s3://little/none/"):
        next(S3Logs("s3://little/none").batches())
    with pytest.raises(InputError, match="no objects of the days asked for"):
        next(S3Logs("s3://little", since=JANUARY + 30 * DAY).batches())


def test_a_bucket_that_does_not_exist_is_said(aws: Aws) -> None:
    with pytest.raises(CollectError, match=r"bucket nowhere-at-all does not exist .*NoSuchBucket"):
        next(S3Logs("s3://nowhere-at-all").batches())


@pytest.mark.parametrize("address", ["s3://", "s3:///x", "s3:bucket", "gs://bucket"])
def test_an_address_without_a_bucket_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="names no bucket"):
        S3Logs(address)


def error(code: str, status: int) -> Reply:
    body = f"<Error><Code>{code}</Code><Message>No.</Message></Error>".encode()
    return Reply(status, body, {"Content-Type": "application/xml"})


LIST = b"""<ListBucketResult><IsTruncated>false</IsTruncated>
<Contents><Key>a.log.gz</Key><Size>%d</Size></Contents><Contents><Key>b.log.gz</Key><Size>%d</Size></Contents>
</ListBucketResult>""" % (len(log(1)), len(log(1)))


def serving(listed: Reply, **objects: Reply) -> type[Handler]:
    """A bucket of two objects: what is sent for the list, and for ``a`` and ``b``."""

    class Bucket(Handler):
        def reply(self, content: bytes) -> Reply:
            del content
            if "list-type" in self.path:
                return listed
            return objects[self.path.rpartition("/")[2][0]]

    return Bucket


@pytest.mark.parametrize(
    ("code", "status", "kind", "why"),
    [
        ("AccessDenied", 403, CollectError, r"may not be read .*allow s3:ListBucket on arn:aws:s3:::b$"),
        ("ExpiredToken", 400, CredentialsError, "have expired .*aws sso login"),
        ("InvalidAccessKeyId", 403, CredentialsError, "does not accept the credentials"),
        ("SignatureDoesNotMatch", 403, CredentialsError, "this machine's clock"),
        ("NoSuchBucket", 404, CollectError, "does not exist"),
        ("InternalError", 500, CollectError, "cannot be reached"),
        ("InvalidRequest", 400, CollectError, "cannot be read"),
    ],
)
def test_a_bucket_that_cannot_be_listed_says_why(
    monkeypatch: pytest.MonkeyPatch, code: str, status: int, kind: type[Exception], why: str
) -> None:
    with listening(serving(error(code, status))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(kind, match=why):
            next(S3Logs("s3://b", ONCE).batches())


def test_lists_longer_than_a_page_are_read_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "<ListBucketResult><Contents><Key>{key}</Key><Size>5</Size></Contents>{more}</ListBucketResult>"
    first = page.format(key="a", more="<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>")
    second = page.format(key="b", more="<IsTruncated>false</IsTruncated>")

    class Bucket(Handler):
        def reply(self, content: bytes) -> Reply:
            del content
            return Reply(200, (second if "continuation-token=t" in self.path else first).encode())

    with listening(Bucket) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        assert S3Logs("s3://b", ONCE).size == 10


def test_nothing_that_listens_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(CollectError, match="bucket b cannot be reached"):
        next(S3Logs("s3://b", ONCE).batches())


def test_without_credentials_the_way_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsError, match="no AWS credentials"):
        next(S3Logs("s3://b", ONCE).batches())


@pytest.mark.parametrize(
    ("refused", "reason"),
    [
        (error("AccessDenied", 403), "it may not be read (AccessDenied: No.); allow s3:GetObject"),
        (error("InvalidObjectState", 403), "it is archived (InvalidObjectState: No.); restore it first"),
        (error("NoSuchKey", 404), "it could not be fetched: NoSuchKey: No."),
        (Reply(200, log(1), cut=True), "it could not be fetched: "),
    ],
    ids=["denied", "archived", "gone", "cut"],
)
def test_an_object_that_cannot_be_fetched_is_a_loss_and_the_others_are_there(
    monkeypatch: pytest.MonkeyPatch, refused: Reply, reason: str
) -> None:
    with listening(serving(Reply(200, LIST), a=refused, b=Reply(200, log(1)))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with closing(S3Logs("s3://b", ONCE).batches()) as batches:
            (batch,) = list(batches)
    assert [file.name for file in batch.files] == ["s3://b/b.log.gz"]
    (loss,) = batch.losses
    assert loss.name == "s3://b/a.log.gz"
    assert loss.reason.startswith(reason)


def test_a_connection_that_breaks_once_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = serving(Reply(200, LIST), a=Reply(200, log(1)), b=Reply(200, log(1)))
    answers = iter([Reply(200, log(1), cut=True)])
    plain = handler.reply

    def breaking(self: Handler, content: bytes) -> Reply:
        return plain(self, content) if "list-type" in self.path else next(answers, Reply(200, log(1)))

    monkeypatch.setattr(handler, "reply", breaking)
    with listening(handler) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with closing(S3Logs("s3://b", ONCE).batches()) as batches:
            (batch,) = [(len(batch.files), batch.losses) for batch in batches]
    assert batch == (2, ())


def test_credentials_that_expire_on_the_way_stop_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(serving(Reply(200, LIST), a=Reply(200, log(1)), b=error("ExpiredToken", 400))) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        with pytest.raises(CredentialsError, match="have expired"):
            next(S3Logs("s3://b", ONCE).batches())
