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
    path("account/", views.overview, name="overview"),
    path("account/details/", views.details, name="details"),
]
