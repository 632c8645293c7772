"""People who call, with a browser or with a token, and what is theirs."""

import json
from datetime import timedelta
from functools import cached_property
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from marketplace.accounts.actions import make_token
from privacy.access.gate import unit_of_work
from privacy.declarations.purposes import Purpose
from privacy.interface.areas import TokenScope
from tests.accounts import people
from tests.orders import factories
from tests.privacy.rights.people import disclose_to

PURPOSES = (Purpose.ACCOUNT, *factories.ORDER_PURPOSES, Purpose.IMPROVEMENT)
KEY = "HTTP_IDEMPOTENCY_KEY"


class Person:
    """One customer; what a call needs is made when it is first asked for."""

    def __init__(self, canary):
        self.canary = canary
        self.email = f"{canary.lower()}@example.org"
        self.user = people.make_customer(self.email, f"{canary} Nameson", PURPOSES)

    @property
    def subject(self):
        return self.user.subject

    @property
    def actor(self):
        return self.user.actor

    def order(self, make, **how):
        address = {
            "addressee": f"{self.canary} Addressee",
            "line1": f"{self.canary}street 7",
            "postcode": "10115",
            "locality": f"{self.canary}town",
        }
        return make(user=self.user, address=address, **how)

    @cached_property
    def received(self):
        return self.order(factories.received)

    @cached_property
    def sent(self):
        order = self.order(factories.handed_over)
        disclose_to(self.user)
        return order

    @cached_property
    def declined(self):
        return factories.settle(self.order(factories.place), "authorize", "declined")

    def browser(self):
        return Caller(factories.client_of(self.user))

    def program(self, scopes=tuple(TokenScope), lasts=timedelta(days=30)):
        with unit_of_work():
            token, secret = make_token(by=self.actor, user=self.user, scopes=scopes, lasts=lasts)
        caller = Caller(Client(), HTTP_AUTHORIZATION=f"Bearer {secret}")
        caller.token, caller.secret = token, secret
        return caller


class Caller:
    """Calls the interface with JSON, each time under a new key."""

    def __init__(self, client, **headers):
        self.client, self.headers = client, headers

    def call(self, method, path, body=None, **headers):
        if isinstance(body, Form):
            return self._answered(self.client.post(path, body.fields, **{KEY: str(uuid4()), **self.headers, **headers}))
        data = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return self._answered(self.client.generic(method.upper(), path, **data, **{KEY: str(uuid4()), **self.headers, **headers}))

    def _answered(self, response):
        response.file = b"".join(response.streaming_content) if response.streaming else b""
        return response

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body=None, **headers):
        return self.call("POST", path, body, **headers)


class Form:
    """A body with a file in it, read anew for each call."""

    def __init__(self, body, name, content, **more):
        self._given = body, name, content, more

    @property
    def fields(self):
        body, name, content, more = self._given
        return {"body": body, "files": SimpleUploadedFile(name, content), **more}

    def with_field(self, name):
        """The same with one more field, whose value is its name."""
        body, file, content, _more = self._given
        return Form(body, file, content, **{name: name})


def make_person(canary):
    return Person(canary)


def anybody():
    return Caller(Client())
