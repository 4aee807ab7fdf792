"""The addresses of messages. Writing is for every admin, sending for those who may; to everybody after the password."""

from newsletter.web.desk.access import Access
from newsletter.web.desk.messages import actions, views
from newsletter.web.desk.routes import route

_ONE = "mailings/messages/<int:message_id>/"

urlpatterns = [
    route("mailings/messages/", views.messages, "desk_mailings_messages", Access.EDITOR),
    route("mailings/messages/new/", views.new, "desk_mailings_messages_new", Access.EDITOR),
    route(_ONE, views.message, "desk_mailings_messages_message", Access.EDITOR),
    route(f"{_ONE}html/<int:dark>/", views.message_html, "desk_mailings_messages_html", Access.EDITOR),
    route(f"{_ONE}test/", actions.test, "desk_mailings_messages_test", Access.EDITOR),
    route(f"{_ONE}ask/", actions.ask, "desk_mailings_messages_ask", Access.EDITOR),
    route(f"{_ONE}copy/", actions.copy, "desk_mailings_messages_copy", Access.EDITOR),
    route(f"{_ONE}stop/", actions.stop, "desk_mailings_messages_stop", Access.EDITOR),
    route(f"{_ONE}draft/", actions.back_to_draft, "desk_mailings_messages_draft", Access.EDITOR),
    route(f"{_ONE}send/", actions.send, "desk_mailings_messages_send", Access.SENDER),
    route(f"{_ONE}send-to-all/", actions.send_all, "desk_mailings_messages_send_all", Access.SENDER, recent=True),
    route(f"{_ONE}begin/", actions.begin, "desk_mailings_messages_begin", Access.SENDER),
]
