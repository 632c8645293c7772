"""Who runs the demo: a company that does not exist, under names that are reserved for examples."""

from __future__ import annotations

from privacy.policy.actions import change_operator
from privacy.policy.operator import operator
from privacy.policy.roles import Actor

TERMS = {
    "en": (
        "# 1. What this is about\n"
        "These are the terms of a demonstration. Nothing is really sold here, and no money moves.\n\n"
        "# 2. Your order\n"
        "Your order is an offer to us. We accept it when we confirm it. Until your parcel is packed you can cancel it "
        "on its page.\n\n"
        "# 3. Prices and payment\n"
        "Prices include tax. Delivery is shown before you pay. We take the payment when we pack your parcel.\n\n"
        "# 4. Changing your mind\n"
        "You have 14 days after delivery to withdraw from the purchase, without a reason. Use the page “Cancel a "
        "purchase”, or write to us.\n\n"
        "# 5. When something is wrong\n"
        "If a product is broken or not what you ordered, you have the rights that the law gives you. Write to us and "
        "we sort it out."
    ),
    "de": (
        "# 1. Worum es geht\n"
        "Das sind die Bedingungen einer Vorführung. Hier wird nichts wirklich verkauft, und es fließt kein Geld.\n\n"
        "# 2. Deine Bestellung\n"
        "Deine Bestellung ist ein Angebot an uns. Wir nehmen es an, wenn wir sie bestätigen. Bis dein Paket gepackt ist, "
        "kannst du auf der Seite der Bestellung stornieren.\n\n"
        "# 3. Preise und Zahlung\n"
        "Die Preise enthalten die Steuer. Die Versandkosten siehst du vor der Zahlung. Wir buchen ab, wenn wir dein "
        "Paket packen.\n\n"
        "# 4. Wenn du es dir anders überlegst\n"
        "Du kannst den Kauf bis 14 Tage nach der Lieferung ohne Grund widerrufen: auf der Seite „Kauf widerrufen“ "
        "oder mit einer Nachricht an uns.\n\n"
        "# 5. Wenn etwas nicht stimmt\n"
        "Ist eine Ware kaputt oder nicht das, was du bestellt hast, gelten deine gesetzlichen Rechte. Schreib "
        "uns, wir bringen es in Ordnung."
    ),
    "ar": (
        "# 1. عن ماذا\n"
        "هذه شروط متجر تجريبي. لا يُباع هنا شيء حقًا، ولا تنتقل أي أموال.\n\n"
        "# 2. طلبك\n"
        "طلبك عرضٌ منك إلينا، ونقبله عندما نؤكده. يمكنك إلغاؤه من صفحته قبل أن يُغلَّف طردك.\n\n"
        "# 3. الأسعار والدفع\n"
        "الأسعار تشمل الضريبة. تظهر كلفة التوصيل قبل الدفع. نأخذ المبلغ عندما نغلّف طردك.\n\n"
        "# 4. إذا غيّرت رأيك\n"
        "لك 14 يومًا بعد التسليم للعدول عن الشراء دون سبب، من صفحة «العدول عن شراء» أو برسالة إلينا.\n\n"
        "# 5. إذا كان هناك خطأ\n"
        "إذا كان المنتج معطوبًا أو ليس ما طلبته، فلك الحقوق التي يمنحها القانون. اكتب إلينا ونحل الأمر."
    ),
}
IDENTITY = {
    "name": "Marketplace Example GmbH",
    "address": "1 Example Street\n10115 Berlin",
    "country": "DE",
    "email": "hello@example.com",
    "phone": "+49 30 23125 000",  # from the numbers kept free for films
    "register": "Amtsgericht Charlottenburg, HRB 000000",
    "tax_id": "DE000000000",
    "privacy_office": "Data Protection Office",
    "privacy_email": "privacy@example.com",
    "authority": "Example Data Protection Authority",
    "authority_address": "2 Example Square\n10115 Berlin",
    "authority_url": "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
    "security_email": "security@example.com",
    "imprint": {
        "en": "This is a demonstration. The company, its numbers and its addresses are invented.",
        "de": "Das ist eine Vorführung. Die Firma, ihre Nummern und ihre Adressen sind erfunden.",
        "ar": "هذا عرض تجريبي. الشركة وأرقامها وعناوينها من نسج الخيال.",
    },
    "terms": TERMS,
}


def name_demo_operator(*, by: Actor) -> bool:
    """Enter the demo's operator where nobody has entered one; tells whether it did."""
    if operator().number:
        return False
    change_operator(by=by, based_on=0, values=IDENTITY)
    return True
