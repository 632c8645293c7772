"""Where tries come from: one network is one, however many addresses it has."""

import pytest
from django.test import RequestFactory

from privacy.access.limits import network_digest


def digest(address):
    return network_digest(RequestFactory(REMOTE_ADDR=address).get("/"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),
        ("192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:db8::1", "2001:0db8:0000:0000:0000:0000:0000:0001"),
        ("", ""),
    ],
)
def test_addresses_of_one_network_count_together(one, other):
    assert digest(one) == digest(other)


@pytest.mark.parametrize(("one", "other"), [("2001:db8:1:2::1", "2001:db8:1:3::1"), ("192.0.2.1", "192.0.2.2"), ("", "unix:")])
def test_other_networks_count_apart(one, other):
    assert digest(one) != digest(other)
