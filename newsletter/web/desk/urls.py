"""Every address of the desk, with who may open it.

`tests/web/desk` opens each of these as everybody: a route that says nothing cannot be written.
"""

from allauth.account import views as account

from newsletter.web.desk import home
from newsletter.web.desk.access import Access
from newsletter.web.desk.routes import route

urlpatterns = [
    route("", home.home, "desk_home", Access.EDITOR),
    route("sign-in/", account.login, "account_login", Access.ANYBODY),
    route("sign-out/", account.logout, "account_logout", Access.ANYBODY),
]
