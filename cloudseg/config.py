"""The configuration: ``cloudseg.toml``, or ``[tool.cloudseg]`` of a ``pyproject.toml``.

Every key that is wrong is named with its path, its file and, where it can be found, its line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias, cast

import msgspec

from cloudseg.errors import ConfigError
from cloudseg.findings import Severity
from cloudseg.plan.environment_names import DEFAULT_ORDER
from cloudseg.providers.azure.options import CLOUDS, CloudName
from cloudseg.segments import DEFAULT_LABELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cloudseg.checks.interface import Check, Parameter

__all__ = ["DEFAULT_LABELS", "AwsConfig", "AzureConfig", "Config", "GcpConfig", "KubernetesConfig", "load_config"]

ParameterValue: TypeAlias = bool | int | str | tuple[str, ...]
"""As in ``cloudseg.checks.interface``; importing that loads every check, which a run without settings does not need."""

FILE: Final = "cloudseg.toml"
PROJECT_FILE: Final = "pyproject.toml"
_TABLE_IN_PROJECT: Final = ("tool", "cloudseg")
_LEVELS: Final = (*(severity.value for severity in Severity), "none")
# These words are sources themselves, never paths.
_NAMED_SOURCES: Final = frozenset(("aws", "azure", "gcp", "kubernetes", "demo", "-"))
_KEYS: Final = (
    "sources", "fail_on", "check", "skip", "waivers", "intent", "flows", "labels", "checks", "aws", "azure", "gcp",
    "kubernetes", "plan",
)  # fmt: skip
_KEY: Final = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_HEADER: Final = re.compile(r"\s*\[[^\[\]]+\]\s*(?:#.*)?$")


class AwsConfig(msgspec.Struct, frozen=True):
    """What to read of AWS, and as whom: the table ``[aws]``.

    Attributes:
        profile: named profiles, one account each.
        region: regions; every enabled one without them.
        assume_role: ARNs of roles, one account each.
        external_id: the external id that the roles ask for.
        organization: read every active account of the organization.
    """

    profile: tuple[str, ...] = ()
    region: tuple[str, ...] = ()
    assume_role: tuple[str, ...] = ()
    external_id: str | None = None
    organization: bool = False


class AzureConfig(msgspec.Struct, frozen=True):
    """What to read of Azure: the table ``[azure]``.

    Attributes:
        subscription: ids or names of subscriptions; every visible one without them and without groups.
        management_group: ids of management groups, for every subscription below them.
        cloud: ``public``, ``china`` or ``usgovernment``; what the environment says without it.
    """

    subscription: tuple[str, ...] = ()
    management_group: tuple[str, ...] = ()
    cloud: CloudName | None = None


class GcpConfig(msgspec.Struct, frozen=True):
    """What to read of Google Cloud: the table ``[gcp]``.

    Attributes:
        project: ids of projects; the one of the credentials without them, folders and organizations.
        folder: numbers of folders, for every project below them.
        organization: numbers of organizations, for every project below them.
    """

    project: tuple[str, ...] = ()
    folder: tuple[str, ...] = ()
    organization: tuple[str, ...] = ()


class KubernetesConfig(msgspec.Struct, frozen=True):
    """Which clusters to read, and as whom: the table ``[kubernetes]``.

    Attributes:
        context: contexts of the kubeconfig, one cluster each; the current one without them.
        kubeconfig: the file; relative to the working directory here, to the file's own folder in the file.
        cluster: the name of the cluster in reports, and of the one that manifests belong to.
    """

    context: tuple[str, ...] = ()
    kubeconfig: str | None = None
    cluster: str | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What a run does where its command line does not say otherwise.

    Attributes:
        sources: what to read; paths are relative to the working directory here, to the file's own folder in the file.
        fail_on: the severity from which an audit fails, or ``none``; None where the file does not say.
        checks: ids of the only checks to run, the key ``check``; empty for all.
        skip: ids of checks to leave out.
        waivers: the file of accepted findings.
        intent: the file of intended traffic.
        flows: the file of observed conversations, or ``demo``.
        labels: tag keys that mean ``application``, ``tier`` and ``environment``; the first that is there counts.
        parameters: settings by check id and parameter name, the tables ``[checks.<id>]``.
        aws: what to read of AWS.
        azure: what to read of Azure.
        gcp: what to read of Google Cloud.
        kubernetes: which clusters to read.
        environments: the environments, the lowest first, the key ``[plan] environments``: an edit that concerns several
            belongs to the highest.
    """

    sources: tuple[str, ...] = ()
    fail_on: str | None = None
    checks: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    waivers: Path | None = None
    intent: Path | None = None
    flows: Path | None = None
    labels: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=DEFAULT_LABELS.copy)
    parameters: Mapping[str, Mapping[str, ParameterValue]] = {}
    aws: AwsConfig = AwsConfig()
    azure: AzureConfig = AzureConfig()
    gcp: GcpConfig = GcpConfig()
    kubernetes: KubernetesConfig = KubernetesConfig()
    environments: tuple[str, ...] = DEFAULT_ORDER


def load_config(path: Path | None = None) -> Config:
    """Return the configuration of a file, or of the one in the working directory; the defaults where there is none.

    Without a path ``cloudseg.toml`` goes before ``pyproject.toml``.

    Args:
        path: the file; ``[tool.cloudseg]`` of it, where it is called ``pyproject.toml``.

    Raises:
        ConfigError: the file cannot be read, a key is unknown or a value has the wrong type.
    """
    if path is not None:
        document = _Document.read(path)
        if document is None:
            raise ConfigError(f"{path} has no table [tool.cloudseg]; add it, or name another file with --config")
        return document.config()
    for name in (FILE, PROJECT_FILE):
        if Path(name).is_file():
            document = _Document.read(Path(name))
            if document is not None:
                return document.config()
    return Config()


class _Document:
    """One configuration file under examination."""

    def __init__(self, path: Path, text: str, root: tuple[str, ...], table: Mapping[str, object]) -> None:
        self._path = path
        self._text = text
        self._root = root
        self._table = table

    @staticmethod
    def read(path: Path) -> _Document | None:
        """Return the configuration in a file; None for a project file without one."""
        try:
            text = path.read_text(encoding="utf-8")
            table: Mapping[str, object] = tomllib.loads(text)
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror}; name the configuration with --config") from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            raise ConfigError(f"{path} is no TOML file: {error}") from error
        if path.name != PROJECT_FILE:
            return _Document(path, text, (), table)
        for key in _TABLE_IN_PROJECT:
            inner = table.get(key)
            if not isinstance(inner, dict):
                return None
            table = cast("dict[str, object]", inner)
        return _Document(path, text, _TABLE_IN_PROJECT, table)

    def config(self) -> Config:
        """Return the configuration, every key and value looked at.

        Raises:
            ConfigError: there are mistakes; each is a line of the message, in the order of the file.
        """
        table = self._table
        mistakes: list[_MistakeError] = []
        while True:
            try:
                found = self._read(table)
            except _MistakeError as mistake:
                mistakes.append(mistake)
                # Without this key the next mistake shows.
                table = _without(table, mistake.keys)
            else:
                break
        if mistakes:
            raise ConfigError("\n".join(map(str, sorted(mistakes, key=lambda mistake: mistake.line))))
        return found

    def _read(self, table: Mapping[str, object]) -> Config:
        if isinstance(table.get("checks"), list):
            self._fail(
                ("checks",), "is a table of settings, [checks.<id>]; the list of checks to run is called `check`"
            )
        self._only((), table, _KEYS)
        sources = self._texts(("sources",), table.get("sources", []))
        return Config(
            sources=tuple(source if source in _NAMED_SOURCES else self._beside(source) for source in sources),
            fail_on=self._level(table.get("fail_on")),
            checks=self._check_ids("check", table.get("check", [])),
            skip=self._check_ids("skip", table.get("skip", [])),
            waivers=self._file("waivers", table),
            intent=self._file("intent", table),
            flows=self._conversations(table),
            labels=self._labels(table.get("labels", {})),
            parameters=self._parameters(table.get("checks", {})),
            aws=self._aws(table.get("aws", {})),
            azure=self._azure(table.get("azure", {})),
            gcp=self._gcp(table.get("gcp", {})),
            kubernetes=self._kubernetes(table.get("kubernetes", {})),
            environments=self._environments(table.get("plan", {})),
        )

    def _environments(self, value: object) -> tuple[str, ...]:
        table = self._inner(("plan",), value)
        self._only(("plan",), table, ("environments",))
        if "environments" not in table:
            return DEFAULT_ORDER
        place = ("plan", "environments")
        names = self._texts(place, table["environments"])
        folded = [name.casefold() for name in names]
        if not names or not all(folded) or len(set(folded)) < len(names):
            self._fail(place, "names no order: write each environment once, the lowest first")
        return names

    def _file(self, key: str, table: Mapping[str, object]) -> Path | None:
        value = table.get(key)
        return None if value is None else Path(self._beside(self._string((key,), value)))

    def _conversations(self, table: Mapping[str, object]) -> Path | None:
        file = self._file("flows", table)
        # The word stands for the bundled logs wherever this file lies, as long as no file bears it.
        return Path("demo") if file is not None and table["flows"] == "demo" and not file.exists() else file

    def _beside(self, text: str) -> str:
        """Return a path of the file as seen from the working directory; ``./aws`` stays a path and no provider."""
        folder = self._path.parent
        return text if folder == Path() or Path(text).is_absolute() else f"{folder}/{text}"

    def _level(self, value: object) -> str | None:
        if value is None:
            return None
        level = self._string(("fail_on",), value)
        if level not in _LEVELS:
            self._fail(("fail_on",), f"is {level!r}; it is one of {', '.join(_LEVELS)}")
        return level

    def _check_ids(self, key: str, value: object) -> tuple[str, ...]:
        names = self._texts((key,), value)
        for name in names:
            self._check((key,), name)
        return names

    def _check(self, path: tuple[str, ...], name: str) -> Check:
        # Loading the checks takes longer than everything else here, and most runs name none.
        from cloudseg.checks import CHECKS

        known = {check.id: check for check in CHECKS}
        if name not in known:
            self._fail(path, f"there is no check {name!r}; {_near(name, known) or '`cloudseg checks` lists them'}")
        return known[name]

    def _labels(self, value: object) -> dict[str, tuple[str, ...]]:
        table = self._inner(("labels",), value)
        self._only(("labels",), table, DEFAULT_LABELS)
        return DEFAULT_LABELS | {name: self._texts(("labels", name), keys) for name, keys in table.items()}

    def _parameters(self, value: object) -> dict[str, dict[str, ParameterValue]]:
        result: dict[str, dict[str, ParameterValue]] = {}
        for name, settings in self._inner(("checks",), value).items():
            place = ("checks", name)
            table = self._inner(place, settings)
            parameters = {parameter.name: parameter for parameter in self._check(place, name).parameters}
            self._only(place, table, parameters)
            result[name] = {key: self._setting((*place, key), parameters[key], item) for key, item in table.items()}
        return result

    def _setting(self, path: tuple[str, ...], parameter: Parameter, value: object) -> ParameterValue:
        match parameter.default:
            case bool():
                return self._boolean(path, value)
            case int():
                if not isinstance(value, int) or isinstance(value, bool):
                    self._fail(path, f"is {_kind(value)}; it must be a whole number")
                if parameter.minimum is not None and value < parameter.minimum:
                    self._fail(path, f"is {value}; it must be {parameter.minimum} or more")
                return value
            case str():
                return self._string(path, value)
            case tuple():
                texts = self._texts(path, value)
                for text in texts:
                    if parameter.form and re.fullmatch(parameter.form, text) is None:
                        self._fail(path, f"holds {text!r}; {parameter.description}")
                return texts

    def _aws(self, value: object) -> AwsConfig:
        table = self._inner(("aws",), value)
        self._only(("aws",), table, AwsConfig.__struct_fields__)
        external = table.get("external_id")
        return AwsConfig(
            profile=self._texts(("aws", "profile"), table.get("profile", [])),
            region=self._texts(("aws", "region"), table.get("region", [])),
            assume_role=self._texts(("aws", "assume_role"), table.get("assume_role", [])),
            external_id=None if external is None else self._string(("aws", "external_id"), external),
            organization=self._boolean(("aws", "organization"), table.get("organization", False)),
        )

    def _azure(self, value: object) -> AzureConfig:
        place = ("azure",)
        table = self._inner(place, value)
        self._only(place, table, AzureConfig.__struct_fields__)
        named = table.get("cloud")
        cloud: CloudName | None = next((each for each in CLOUDS if each == named), None)
        if named is not None and cloud is None:
            self._fail((*place, "cloud"), f"is {_kind(named)}; it is one of {', '.join(CLOUDS)}")
        return AzureConfig(
            subscription=self._texts((*place, "subscription"), table.get("subscription", [])),
            management_group=self._texts((*place, "management_group"), table.get("management_group", [])),
            cloud=cloud,
        )

    def _gcp(self, value: object) -> GcpConfig:
        place = ("gcp",)
        table = self._inner(place, value)
        self._only(place, table, GcpConfig.__struct_fields__)
        return GcpConfig(
            project=self._texts((*place, "project"), table.get("project", [])),
            folder=self._texts((*place, "folder"), table.get("folder", [])),
            organization=self._texts((*place, "organization"), table.get("organization", [])),
        )

    def _kubernetes(self, value: object) -> KubernetesConfig:
        place = ("kubernetes",)
        table = self._inner(place, value)
        self._only(place, table, KubernetesConfig.__struct_fields__)
        file, cluster = table.get("kubeconfig"), table.get("cluster")
        return KubernetesConfig(
            context=self._texts((*place, "context"), table.get("context", [])),
            kubeconfig=None if file is None else self._from_home(self._string((*place, "kubeconfig"), file)),
            cluster=None if cluster is None else self._cluster((*place, "cluster"), cluster),
        )

    def _from_home(self, text: str) -> str:
        return text if text.startswith("~") else self._beside(text)

    def _cluster(self, path: tuple[str, ...], value: object) -> str:
        from cloudseg.providers.kubernetes.options import problem_of_cluster

        name = self._string(path, value)
        if problem := problem_of_cluster(name):
            self._fail(path, f"is {name!r}: {problem}")
        return name

    def _inner(self, path: tuple[str, ...], value: object) -> dict[str, object]:
        if not isinstance(value, dict):
            self._fail(path, f"is {_kind(value)}; it must be a table, [{'.'.join((*self._root, *path))}]")
        return cast("dict[str, object]", value)

    def _texts(self, path: tuple[str, ...], value: object) -> tuple[str, ...]:
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            self._fail(path, f'is {_kind(value)}; it must be a list of texts, ["one", "two"]')
        return tuple(self._string(path, item) for item in cast("list[object]", value))

    def _string(self, path: tuple[str, ...], value: object) -> str:
        if not isinstance(value, str):
            self._fail(path, f"holds {_kind(value)}; it must be a text in quotes")
        if not value:
            self._fail(path, "holds an empty text; write what it stands for, or leave the key out")
        return value

    def _boolean(self, path: tuple[str, ...], value: object) -> bool:
        if not isinstance(value, bool):
            self._fail(path, f"is {_kind(value)}; it must be true or false")
        return value

    def _only(self, path: tuple[str, ...], table: Mapping[str, object], known: Iterable[str]) -> None:
        names = sorted(known)
        for key in table:
            if key not in names:
                hint = _near(key, names) or (f"known here: {', '.join(names)}" if names else "there is nothing to set")
                self._fail((*path, key), f"unknown key; {hint}")

    def _fail(self, path: tuple[str, ...], problem: str) -> NoReturn:
        full = (*self._root, *path)
        line = _line_of(self._text, full)
        place = f"{self._path}, line {line}" if line else str(self._path)
        raise _MistakeError(f"{place}: {'.'.join(full)}: {problem}", path, line or 0)


class _MistakeError(Exception):
    """A key that is wrong: what is told of it, where it stands in the table, and its line."""

    def __init__(self, text: str, keys: tuple[str, ...], line: int) -> None:
        super().__init__(text)
        self.keys = keys
        self.line = line


def _without(table: Mapping[str, object], keys: tuple[str, ...]) -> dict[str, object]:
    """Return a table without one key of it, or of a table in it."""
    first, *rest = keys
    inner = table[first]
    if rest and isinstance(inner, dict):
        return {**table, first: _without(cast("dict[str, object]", inner), tuple(rest))}
    return {key: value for key, value in table.items() if key != first}


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    return f"did you mean {near[0]}?" if near else ""


def _kind(value: object) -> str:
    """Return a value and its type in the words of TOML, for messages."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text {value!r}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"the date {value}"


def _line_of(text: str, path: tuple[str, ...]) -> int | None:
    """Return the line, counted from 1, on which a key is written; None where it cannot be told."""
    header: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if _HEADER.match(line):
            here = header = _keys(line.partition("#")[0])
        elif found := _KEY.match(line):
            here = (*header, *_keys(f"{found[1]} = 0"))
        else:
            continue
        if here[: len(path)] == path:
            return number
    return None


def _keys(line: str) -> tuple[str, ...]:
    """Return the dotted key that a line of TOML opens."""
    try:
        table: object = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while isinstance(table, dict) and table:
        key, table = next(iter(cast("dict[str, object]", table).items()))
        keys.append(key)
    return tuple(keys)
