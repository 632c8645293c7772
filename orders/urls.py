from django.urls import path

from orders.basket import views as basket
from orders.catalogue import views as catalogue
from orders.checkout import views as checkout
from orders.guests import views as guests
from orders.lifecycle import views as lifecycle
from orders.parcels import views as parcels
from orders.payments import views as payments
from orders.withdrawals import views as withdrawals

app_name = "orders"

urlpatterns = [
    path("", catalogue.front, name="front"),
    path("search/", catalogue.search, name="search"),
    path("categories/<slug:slug>/", catalogue.category_page, name="category"),
    path("products/<slug:slug>/", catalogue.product_page, name="product"),
    path("pictures/<slug:slug>/<slug:kind>.svg", catalogue.picture, name="picture"),
    path("basket/", basket.basket_page, name="basket"),
    path("basket/<slug:slug>/add/", basket.add, name="basket-add"),
    path("basket/<slug:slug>/", basket.change, name="basket-change"),
    path("checkout/", checkout.checkout, name="checkout"),
    path("orders/<slug:code>/placed/", checkout.placed, name="placed"),
    path("orders/lookup/", guests.lookup, name="lookup"),
    path("orders/lookup/sent/", guests.lookup_sent, name="lookup-sent"),
    path("orders/guest/<str:token>/", guests.guest, name="guest"),
    path("cancel-a-purchase/", withdrawals.cancel_purchase, name="cancel-purchase"),
    path("account/new-link/", guests.new_link, name="new-link"),
    path("account/orders/", lifecycle.order_list, name="list"),
    path("account/orders/<slug:code>/", lifecycle.order_page, name="detail"),
    path("account/orders/<slug:code>/cancel/", lifecycle.cancel_plan, name="cancel-plan"),
    path("account/orders/<slug:code>/cancel/now/", lifecycle.cancel, name="cancel"),
    path("account/orders/<slug:code>/pay/", lifecycle.retry, name="retry"),
    path("account/orders/<slug:code>/invoice/", lifecycle.invoice_page, name="invoice"),
    path("account/orders/<slug:code>/credit-notes/", lifecycle.credit_notes, name="credit-notes"),
    path("account/orders/<slug:code>/withdraw/", withdrawals.withdraw, name="withdraw"),
    path("account/orders/<slug:code>/withdrawals/", withdrawals.withdrawals, name="withdrawals"),
    path("webhooks/payments/", payments.payment_webhook, name="payment-webhook"),
    path("webhooks/parcels/", parcels.parcel_webhook, name="parcel-webhook"),
]
