"""Makes `twistd chat` known to Twisted."""

from twisted.application.service import ServiceMaker

chat = ServiceMaker(
    "chat",
    "chatservice.service",
    "A chat that speaks every dialect: web page, WebSocket, TCP lines.",
    "chat",
)
