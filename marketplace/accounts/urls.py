"""Addresses of the account pages."""

from django.urls import path

from marketplace.accounts import views

app_name = "accounts"

urlpatterns = [
    path("sign-up/", views.sign_up_page, name="sign-up"),
    path("sign-up/sent/", views.sign_up_sent, name="sign-up-sent"),
    path("sign-up/again/", views.sign_up_again, name="sign-up-again"),
    path("confirm/<str:token>/", views.confirm, name="confirm"),
    path("sign-in/", views.sign_in, name="sign-in"),
    path("language/", views.choose_language, name="language"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("password-reset/", views.password_reset, name="password-reset"),
    path("password-reset/sent/", views.password_reset_sent, name="password-reset-sent"),
    path("password-reset/<str:token>/", views.password_reset_set, name="password-reset-set"),
    path(".well-known/change-password", views.change_password, name="change-password"),
    path("second-factor/", views.second_factor, name="second-factor"),
    path("second-factor/code.svg", views.second_factor_picture, name="second-factor-picture"),
    path("second-factor/link/", views.send_link, name="second-factor-link"),
    path("second-factor/link/<str:token>/", views.enroll, name="enroll"),
    path("invitation/<str:token>/", views.invitation, name="invitation"),
    path("new-address/<str:token>/agree/", views.agree, name="agree"),
    path("new-address/<str:token>/refuse/", views.refuse, name="refuse"),
    path("account/", views.overview, name="overview"),
    path("account/details/", views.details, name="details"),
    path("account/security/", views.security, name="security"),
    path("account/security/sessions/<uuid:session_id>/end/", views.end_one_session, name="end-session"),
    path("account/security/sessions/end-others/", views.end_others, name="end-others"),
    path("account/security/password/", views.password, name="password"),
    path("account/security/second-step/", views.set_up, name="set-up-second-factor"),
    path("account/security/second-step/off/", views.remove, name="remove-second-factor"),
    path("account/security/recovery-codes/", views.recovery_codes, name="recovery-codes"),
    path("account/security/recovery-codes/text/", views.recovery_codes_text, name="recovery-codes-text"),
    path("account/security/tokens/", views.tokens, name="tokens"),
    path("account/security/tokens/<uuid:token_id>/end/", views.token_end, name="token-end"),
]
