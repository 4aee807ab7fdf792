"""The addresses of mailings."""

from newsletter.web.desk.access import Access
from newsletter.web.desk.mailings import decide, deliveries, editions, undecided, views
from newsletter.web.desk.routes import route

_EDITION = "mailings/<int:occasion_id>/editions/<int:edition_id>/"

urlpatterns = [
    route("mailings/", views.mailings, "desk_mailings", Access.EDITOR),
    route("mailings/find/", deliveries.find_delivery, "desk_mailings_find", Access.EDITOR),
    route("mailings/undecided/", undecided.undecided, "desk_mailings_undecided", Access.EDITOR),
    route("mailings/undecided/decide/", undecided.decide_undecided, "desk_mailings_decide", Access.SENDER),
    route("mailings/undecided/parked/", undecided.retry_all_parked, "desk_mailings_retry_parked", Access.SENDER),
    route("mailings/deliveries/<str:reference>/", deliveries.delivery, "desk_mailings_delivery", Access.EDITOR),
    route(
        "mailings/deliveries/<str:reference>/content/",
        deliveries.delivery_content,
        "desk_mailings_delivery_content",
        Access.OWNER,
        recent=True,
    ),
    route("mailings/<int:occasion_id>/", views.one_mailing, "desk_mailings_mailing", Access.EDITOR),
    route("mailings/<int:occasion_id>/hold/", decide.hold_mailing, "desk_mailings_hold", Access.EDITOR),
    route("mailings/<int:occasion_id>/release/", decide.release_mailing, "desk_mailings_release", Access.EDITOR),
    route("mailings/<int:occasion_id>/skip/", decide.skip_mailing, "desk_mailings_skip", Access.EDITOR),
    route("mailings/<int:occasion_id>/resend/", decide.resend_mailing, "desk_mailings_resend", Access.SENDER),
    route(_EDITION, editions.edition, "desk_mailings_edition", Access.EDITOR),
    route(f"{_EDITION}html/<int:dark>/", editions.edition_html, "desk_mailings_edition_html", Access.EDITOR),
]
