"""Every address of the desk, with who may open it.

`tests/web/desk` opens each of these as everybody: a route that says nothing cannot be written.
"""

from allauth.account import views as account

from newsletter.lib.urls import WELCOME_PATH
from newsletter.web.desk import clock
from newsletter.web.desk.access import Access
from newsletter.web.desk.accounts import welcome
from newsletter.web.desk.home import go_to, views
from newsletter.web.desk.routes import route

urlpatterns = [
    route("", views.home, "desk_home", Access.EDITOR),
    route("go/", go_to.go_to, "desk_home_go", Access.EDITOR),
    route("clock/", clock.switch, "desk_home_clock", Access.EDITOR),
    route("sign-in/", account.login, "account_login", Access.ANYBODY),
    route("sign-out/", account.logout, "account_logout", Access.ANYBODY),
    route(
        WELCOME_PATH.removeprefix("/desk/").replace("{token}", "<str:token>"),
        welcome.welcome,
        "desk_welcome",
        Access.ANYBODY,
    ),
]
