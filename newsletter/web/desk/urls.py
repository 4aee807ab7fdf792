"""Every address of the desk, with who may open it.

`tests/web/desk` opens each of these as everybody: a route that says nothing cannot be written.
"""

from allauth.account import views as account
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as app_codes
from allauth.mfa.webauthn import views as passkeys

from newsletter.lib.urls import WELCOME_PATH
from newsletter.web.desk import clock
from newsletter.web.desk.access import Access
from newsletter.web.desk.accounts import second_step, welcome
from newsletter.web.desk.accounts.passkey_answers import readable_only
from newsletter.web.desk.audit import views as audit
from newsletter.web.desk.feeds import adding as feeds_adding
from newsletter.web.desk.feeds import feed as feeds_feed
from newsletter.web.desk.feeds import listing as feeds_listing
from newsletter.web.desk.feeds import opml as feeds_opml
from newsletter.web.desk.feeds import removing as feeds_removing
from newsletter.web.desk.feeds import settings as feeds_settings
from newsletter.web.desk.home import go_to, sending, views
from newsletter.web.desk.items import item as items_item
from newsletter.web.desk.items import listing as items_list
from newsletter.web.desk.items import publish as items_publish
from newsletter.web.desk.mailings.urls import urlpatterns as mailing_routes
from newsletter.web.desk.messages.urls import urlpatterns as message_routes
from newsletter.web.desk.people import actions as people_actions
from newsletter.web.desk.people import nobody as people_nobody
from newsletter.web.desk.people import overview as people_overview
from newsletter.web.desk.people import person as people_person
from newsletter.web.desk.routes import route
from newsletter.web.desk.sending import actions as sending_actions
from newsletter.web.desk.sending import overview as sending_overview
from newsletter.web.desk.sending import trial as sending_trial
from newsletter.web.desk.settings import colleagues, installation, mine, tokens
from newsletter.web.desk.topics import files as topic_files
from newsletter.web.desk.topics import history as topic_history
from newsletter.web.desk.topics import listing as topic_listing
from newsletter.web.desk.topics import matches as topic_matches
from newsletter.web.desk.topics import merge as topic_merge
from newsletter.web.desk.topics import new as topic_new
from newsletter.web.desk.topics import state as topic_state
from newsletter.web.desk.topics import workshop as topic_workshop

urlpatterns = [
    route("", views.home, "desk_home", Access.EDITOR),
    route("go/", go_to.go_to, "desk_home_go", Access.EDITOR),
    route("pause/", sending.pause, "desk_home_pause", Access.EDITOR),
    route("resume/", sending.resume, "desk_home_resume", Access.OWNER),
    route("clock/", clock.switch, "desk_home_clock", Access.EDITOR),
    route("feeds/", feeds_listing.feeds, "desk_feeds", Access.EDITOR),
    route("feeds/change/", feeds_listing.change, "desk_feeds_change", Access.EDITOR),
    route("feeds/remove/", feeds_removing.remove, "desk_feeds_remove", Access.EDITOR),
    route("feeds/add/", feeds_adding.add, "desk_feeds_add", Access.EDITOR),
    route("feeds/import/", feeds_opml.read_in, "desk_feeds_import", Access.EDITOR),
    route("feeds/export/", feeds_opml.write_out, "desk_feeds_export", Access.EDITOR),
    route("feeds/<int:feed_id>/", feeds_feed.feed, "desk_feeds_feed", Access.EDITOR),
    route("feeds/<int:feed_id>/settings/", feeds_settings.settings, "desk_feeds_settings", Access.EDITOR),
    route("feeds/<int:feed_id>/archive/", feeds_feed.archive, "desk_feeds_archive", Access.EDITOR),
    route(
        "feeds/<int:feed_id>/incidents/<int:incident_id>/",
        feeds_feed.close_incident,
        "desk_feeds_incident",
        Access.EDITOR,
    ),
    route("items/", items_list.items, "desk_items", Access.EDITOR),
    route("items/publish/", items_publish.publish, "desk_items_publish", Access.EDITOR),
    route("items/<int:item_id>/", items_item.item, "desk_items_item", Access.EDITOR),
    route("items/<int:item_id>/correct/", items_publish.correct, "desk_items_correct", Access.EDITOR),
    route("items/<int:item_id>/withdraw/", items_item.withdraw, "desk_items_withdraw", Access.EDITOR),
    route("audit/", audit.audit, "desk_audit", Access.EDITOR),
    route("audit/<int:entry_id>/undo/", audit.undo_line, "desk_audit_undo", Access.EDITOR),
    route("sign-in/", account.login, "account_login", Access.ANYBODY),
    route("sign-in/code/", readable_only(second_step.second_step), "mfa_authenticate", Access.ANYBODY),
    route("sign-in/passkey/", readable_only(passkeys.login_webauthn), "mfa_login_webauthn", Access.ANYBODY),
    route("sign-out/", account.logout, "account_logout", Access.ANYBODY),
    route("confirm/", account.reauthenticate, "account_reauthenticate", Access.EDITOR),
    route("confirm/code/", second_factor.reauthenticate, "mfa_reauthenticate", Access.EDITOR),
    route(
        "confirm/passkey/",
        readable_only(passkeys.reauthenticate_webauthn),
        "mfa_reauthenticate_webauthn",
        Access.EDITOR,
    ),
    route(
        WELCOME_PATH.removeprefix("/desk/").replace("{token}", "<str:token>"),
        welcome.welcome,
        "desk_welcome",
        Access.ANYBODY,
    ),
    route("people/", people_overview.people, "desk_people", Access.OWNER, recent=True),
    route("people/find/", people_overview.find, "desk_people_find", Access.OWNER, recent=True),
    *(
        route(f"people/open/<str:handle>/{path}", view, f"desk_people_{name}", Access.OWNER, recent=True)
        for path, view, name in (
            ("", people_person.show, "open"),
            ("follow/", people_actions.follow, "follow"),
            ("end/", people_actions.end, "end"),
            ("frequency/", people_actions.cadence, "frequency"),
            ("time/", people_actions.time, "time"),
            ("lift/", people_actions.lift, "lift"),
            ("before-stop/", people_person.before_stop, "before_stop"),
            ("stop/", people_actions.stop, "stop"),
            ("before-erase/", people_person.before_erase, "before_erase"),
            ("erase/", people_actions.erase, "erase"),
            ("add-address/", people_nobody.add, "add_address"),
            ("suppress-address/", people_nobody.suppress, "suppress_address"),
            ("lift-address/", people_nobody.lift, "lift_address"),
        )
    ),
    *mailing_routes,
    *message_routes,
    route("sending/", sending_overview.sending, "desk_sending", Access.OWNER),
    route("sending/pause/", sending_actions.pause, "desk_sending_pause", Access.OWNER),
    route("sending/resume/", sending_actions.resume, "desk_sending_resume", Access.OWNER),
    route("sending/share/", sending_actions.share, "desk_sending_share", Access.OWNER),
    route("sending/forget/", sending_actions.forget, "desk_sending_forget", Access.OWNER),
    route("sending/move/", sending_actions.move, "desk_sending_move", Access.OWNER, recent=True),
    route("sending/test/", sending_trial.mail, "desk_sending_test", Access.OWNER),
    route("sending/dns/", sending_trial.dns, "desk_sending_dns", Access.OWNER),
    route("settings/", mine.mine, "desk_settings", Access.EDITOR),
    # allauth comes back to these when a second factor has changed
    route("settings/", mine.mine, "mfa_index", Access.EDITOR),
    route("settings/", mine.mine, "mfa_list_webauthn", Access.EDITOR),
    route("settings/zone/", mine.zone, "desk_settings_zone", Access.EDITOR),
    route("settings/password/", account.password_change, "account_change_password", Access.EDITOR),
    route("settings/app/add/", app_codes.activate_totp, "mfa_activate_totp", Access.EDITOR, recent=True),
    route("settings/app/remove/", app_codes.deactivate_totp, "mfa_deactivate_totp", Access.EDITOR, recent=True),
    route(
        "settings/passkeys/add/", readable_only(passkeys.add_webauthn), "mfa_add_webauthn", Access.EDITOR, recent=True
    ),
    route(
        "settings/passkeys/<int:pk>/remove/",
        passkeys.remove_webauthn,
        "mfa_remove_webauthn",
        Access.EDITOR,
        recent=True,
    ),
    route(
        "settings/recovery-codes/",
        mine.recovery_codes,
        "mfa_view_recovery_codes",
        Access.EDITOR,
        recent=True,
    ),
    route(
        "settings/recovery-codes/new/",
        recovery_codes.generate_recovery_codes,
        "mfa_generate_recovery_codes",
        Access.EDITOR,
        recent=True,
    ),
    route("settings/sessions/<int:session_id>/end/", mine.end_session, "desk_settings_session_end", Access.EDITOR),
    route("settings/sessions/end/", mine.end_other_sessions, "desk_settings_sessions_end", Access.EDITOR),
    route("settings/tokens/", tokens.token_list, "desk_settings_tokens", Access.OWNER, recent=True),
    route(
        "settings/tokens/<int:token_id>/revoke/", tokens.revoke, "desk_settings_token_revoke", Access.OWNER, recent=True
    ),
    route("settings/colleagues/", colleagues.colleagues, "desk_settings_colleagues", Access.OWNER, recent=True),
    *(
        route(
            f"settings/colleagues/<str:name>/{view.__name__.replace('_', '-')}/",
            view,
            f"desk_settings_colleague_{view.__name__}",
            Access.OWNER,
            recent=True,
        )
        for view in (
            colleagues.disable,
            colleagues.enable,
            colleagues.reset,
            colleagues.role,
            colleagues.may_send,
        )
    ),
    route("settings/installation/", installation.installation, "desk_settings_installation", Access.OWNER),
    route("topics/", topic_listing.topics, "desk_topics", Access.EDITOR),
    route("topics/new/", topic_new.new, "desk_topics_new", Access.EDITOR),
    route("topics/import/", topic_files.import_, "desk_topics_import", Access.EDITOR),
    route("topics/export/", topic_files.export, "desk_topics_export", Access.EDITOR),
    route("topics/<int:topic_id>/", topic_workshop.topic, "desk_topics_topic", Access.EDITOR),
    route("topics/<int:topic_id>/matches/", topic_matches.matches, "desk_topics_matches", Access.EDITOR),
    route("topics/<int:topic_id>/history/", topic_history.history, "desk_topics_history", Access.EDITOR),
    route("topics/<int:topic_id>/revert/", topic_history.revert, "desk_topics_revert", Access.EDITOR),
    route("topics/<int:topic_id>/hold/", topic_state.hold, "desk_topics_hold", Access.EDITOR),
    route("topics/<int:topic_id>/release/", topic_state.release, "desk_topics_release", Access.EDITOR),
    route("topics/<int:topic_id>/urgent/", topic_state.urgent, "desk_topics_urgent", Access.EDITOR),
    route("topics/<int:topic_id>/retire/", topic_state.retire, "desk_topics_retire", Access.EDITOR),
    route("topics/<int:topic_id>/merge/", topic_merge.merge, "desk_topics_merge", Access.EDITOR),
    route("topics/<int:topic_id>/restore/", topic_state.restore, "desk_topics_restore", Access.EDITOR),
]
