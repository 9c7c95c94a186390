import pytest
from botocore.exceptions import UnknownServiceError

from cloudseg.providers.aws.clients import open_session


def test_service_models_are_found_as_botocore_finds_them() -> None:
    loader = open_session(None).get_component("data_loader")
    assert loader.load_service_model("sts", "service-2")["metadata"]["serviceId"] == "STS"
    assert {"ec2", "s3", "sts"} <= set(loader.list_available_services("service-2"))


@pytest.mark.parametrize(("service", "kind"), [("no-such-service", "service-2"), ("sts", "no-such-kind")])
def test_what_is_not_there_is_botocores_error(service: str, kind: str) -> None:
    with pytest.raises(UnknownServiceError):
        open_session(None).get_component("data_loader").load_service_model(service, kind)
