"""What staff fill in about the policy and who answers for it (CHANGE-1, CHANGE-5)."""

from __future__ import annotations

from typing import Any

from babel import Locale
from django import forms
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from privacy.access.forms import StrictModelForm
from privacy.policy.models import OperatorIdentity

TEXTS = {"imprint": _("More for the imprint"), "terms": _("Terms of sale")}
