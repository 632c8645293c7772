"""Every model of the app, by import (see the folders)."""

from privacy.access.models import Opening as Opening
from privacy.consent.models import ConsentEntry as ConsentEntry
from privacy.consent.models import ConsentStatement as ConsentStatement
from privacy.mail.models import OutboundMail as OutboundMail
from privacy.policy.models import OperatorIdentity as OperatorIdentity
from privacy.policy.models import PolicyText as PolicyText
from privacy.policy.models import PolicyVersion as PolicyVersion
from privacy.policy.models import PolicyWithdrawal as PolicyWithdrawal
from privacy.publication.models import PolicyDraft as PolicyDraft
from privacy.publication.models import PolicyNotice as PolicyNotice
from privacy.retention.models import PurgeRun as PurgeRun
from privacy.rights.models import ErasureJob as ErasureJob
from privacy.rights.models import ExportJob as ExportJob
from privacy.rights.models import Receipt as Receipt
from privacy.rights.models import ReceiptLink as ReceiptLink
from privacy.rights.models import Request as Request
from privacy.rights.models import RequestDetail as RequestDetail
from privacy.rights.models import Restriction as Restriction
from privacy.sharing.models import Agreement as Agreement
from privacy.sharing.models import Approval as Approval
from privacy.sharing.models import Disclosure as Disclosure
from privacy.sharing.models import FollowUp as FollowUp
from privacy.sharing.models import Recipient as Recipient
from privacy.vault.models import DestroyedKey as DestroyedKey
from privacy.vault.models import Subject as Subject
from privacy.vault.models import SubjectKey as SubjectKey
