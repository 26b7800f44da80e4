"""Makes `twistd chat` known to Twisted."""

from twisted.application.service import ServiceMaker

chat = ServiceMaker(
    "chat",
    "chatservice.twistd",
    "A chat that speaks every dialect: web page, WebSocket, TCP lines.",
    "chat",
)
