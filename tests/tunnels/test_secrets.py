"""What opens a tunnel is dropped before answers are kept."""

from cloudseg.providers.aws.operations import OPERATIONS
from cloudseg.providers.redaction import Json, without_keys


def test_the_keys_of_tunnels_are_dropped_wherever_they_stand() -> None:
    operation = next(each for each in OPERATIONS if each.name == "describe_vpn_connections")
    answer: dict[str, Json] = {
        "VpnConnections": [
            {
                "VpnConnectionId": "vpn-1",
                "CustomerGatewayConfiguration": "<ike><pre_shared_key>secret</pre_shared_key></ike>",
                "Options": {"TunnelOptions": [{"OutsideIpAddress": "52.30.0.1", "PreSharedKey": "secret"}]},
                "PreSharedKeyArn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:vpn",
            }
        ]
    }
    assert without_keys(answer, frozenset(operation.redact)) == {
        "VpnConnections": [
            {"VpnConnectionId": "vpn-1", "Options": {"TunnelOptions": [{"OutsideIpAddress": "52.30.0.1"}]}}
        ]
    }
