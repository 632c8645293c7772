"""The addresses of messages and complaints, with an account and without (RIGHTS-5)."""

from django.urls import path

from privacy.complaints.views import outside, tickets

urlpatterns = [
    path("account/messages/", tickets.tickets, name="tickets"),
    path("account/messages/new/", tickets.new_ticket, name="new-ticket"),
    path("account/messages/<uuid:ticket_id>/", tickets.show, name="ticket"),
    path("account/messages/<uuid:ticket_id>/reopen/", tickets.reopen, name="ticket-reopen"),
    path("account/messages/<uuid:ticket_id>/withdraw/", tickets.withdraw, name="ticket-withdraw"),
    path("account/messages/<uuid:ticket_id>/files/<uuid:attachment_id>/", tickets.download, name="ticket-file"),
    path("complain/", outside.complain, name="complain"),
    path("complain/sent/", outside.sent, name="complain-sent"),
    path("complain/<str:token>/", outside.follow_link, name="complain-link"),
    path("complain/<str:token>/again/", outside.link_again, name="complain-link-again"),
]
