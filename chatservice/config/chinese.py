"""What docs/configuration.zh.md says: each option of the table in Chinese.

Apart from the table because `--help` needs none of it. An option without its sentence here makes no page
(`KeyError` with its name), and a test says which lacks one.
"""

from __future__ import annotations

from dataclasses import replace

from chatservice.config.table import (
    DEFAULT,
    LIMITS,
    LISTENING,
    LOG_LEVELS,
    LOGGING,
    PEOPLE,
    SETTINGS,
    STORAGE,
    TLS,
    Option,
)
from chatservice.dialects.phrases import LANGUAGES
from chatservice.dialects.registry import DEFAULTS
from chatservice.domain.limits import ECHO_BYTES

HEAD = """\
# 设置

[English](configuration.md) · 安装：[deploy.zh.md](deploy.zh.md) · 日常运维：[operations.zh.md](operations.zh.md)

本页由 `make pages` 根据 `chatservice/config/table.py` 里的表和 `chatservice/config/chinese.py` 里的说明生成。
每个设置有三种写法：`chatservice run` 和 `twistd chat` 命令行上的 `--listen`、环境变量 `CHAT_LISTEN`、
文件里的 `listen`。
命令行优先于环境变量，环境变量优先于文件，文件优先于默认值。列表不会合并：以最优先的那一处为准。
环境变量里用空白分隔多个值；空的变量等于没写。

文件是 TOML 格式：`--config FILE`，否则 `./chat.toml`，否则 `/etc/chatservice/chat.toml`。
[deploy/chat.toml](../deploy/chat.toml) 列出了每个设置和它的默认值。相对路径从工作目录算起。
文件里的名字，或者环境里以 `CHAT_` 开头的名字，如果不是这里的任何一个，启动时会警告；加 `--strict` 则算错误。

`chatservice check-config` 会说出所有的错误（包括谁也不认识的名字），没有错误时列出实际生效的值以及各自写在哪里。
SIGHUP 会重新读取文件：下面标*是*的立即生效；其余的，日志会说要等重启。不能用的文件什么也不会改变。

秘密从来不是设置本身，而是文件。在 systemd 下，
`LoadCredential=owner-token:/etc/chatservice/owner-token` 和 `LoadCredential=guest-key:…` 会自动找到；
写了 `--site-key HS256:site-secret` 时，`LoadCredential=site-secret:…` 也是。
"""
COLUMNS = "| 设置 | 作用 | 默认值 | SIGHUP |"
YES = "是"

GROUPS = {
    LISTENING: "监听",
    PEOPLE: "谁可以进来",
    TLS: "TLS",
    STORAGE: "存储",
    LIMITS: "限额",
    DEFAULT: "连接的默认值",
    LOGGING: "日志与指标",
    SETTINGS: "设置",
}

UNITS = {
    "": "",
    "s": "秒",
    "bytes": "字节",
    "connections": "条连接",
    "connects/min": "次/分钟",
    "entries": "条",
    "messages": "条消息",
    "messages/s": "条/秒",
    "processes": "个进程",
}

OTHERWISE = {
    "owner-token-file": "$CREDENTIALS_DIRECTORY 里的 owner-token，否则数据目录里的 owner.token",
    "guest-key-file": "$CREDENTIALS_DIRECTORY 里的 guest-key，否则数据目录里的 guest.key",
    "data": "$STATE_DIRECTORY，否则 ./chat-data",
    "store": "$CREDENTIALS_DIRECTORY 里的 store，否则 sqlite:",
    "archive-password-file": "$CREDENTIALS_DIRECTORY 里的 archive-password，如果有的话",
    "config": "./chat.toml，否则 /etc/chatservice/chat.toml，如果有的话",
}

HELP = {
    "listen": "在这个 Twisted endpoint 上提供网页和 WebSocket；ssl:PORT:privateKey=FILE:certKey=FILE 就是 wss，"
    "systemd:NAME 是这个名字的套接字（docs/deploy.zh.md）。可重复。",
    "line": "在这个 endpoint 上提供 TCP 行协议（telnet、nc）；none 表示不提供。可重复。",
    "public-url": "人们在哪里找到网页，例如 https://chat.example.org/；网页因此也可以按这个名字连接，"
    "Safari 15.4 之前的版本需要这样。",
    "trusted-proxy": "相信这个网段里的代理转告的来源地址（X-Forwarded-For、PROXY protocol）："
    "127.0.0.1、10.0.0.0/8，或者 unix（经 UNIX 套接字来的）。可重复。",
    "proxy-protocol": "要求可信代理的每条连接以 PROXY protocol（版本 1 或 2）开头。",
    "workers": "运行这么多个进程，每个核一个，共用同样的端口（docs/scaling.zh.md）。"
    "多于一个时需要能共用的 --store。这时 SIGHUP 会逐个替换进程，所有设置都会生效。",
    "socketio-emitters": "接收后端用 Socket.IO 的 Redis emitter 或 python-socketio 发到这个 Redis 的事件："
    "地址的写法与 --store 相同；?key=、&channel=、&nick= 写出与通常不同的地方（docs/socketio.zh.md）。可重复。",
    "origin": "允许这个来源的网页连接，例如 https://www.example.org。与我们同主机的网页本来就可以。可重复。",
    "insecure-any-origin": "允许任何网站的网页以访问者的身份行事。",
    "no-guests": "没有账号（chatservice user add）或网站令牌（--site-key）的人不能进来。",
    "site-key": "相信用这个密钥签名的 JWT：[KID=]ALGORITHM:FILE，其中 ALGORITHM 是 HS256（FILE 里是密钥）、"
    "RS256 或 EdDSA（FILE 里是 PEM 格式的公钥）。FILE 不含斜杠时先在 $CREDENTIALS_DIRECTORY 里找。可重复："
    "更换密钥期间两个都写上。",
    "site-audience": "要求令牌里的 aud 是它。",
    "site-longest": "要求令牌里的 exp 离现在不超过这么久。",
    "owner-token-file": "从这个文件读取所有者的令牌。",
    "guest-key-file": "从这个文件读取给访客和账号的令牌签名的密钥。",
    "self-signed": "在本机的这个端口上提供 https 和 wss，证书只生成一次，保存在数据目录里。"
    "PORT:interface=ADDRESS 可以监听别的地址。",
    "redirect": "把这个端口（PORT：所有地址）或 endpoint 上的 http 转到 https。可重复。",
    "data": "所有内容都保存在这个目录里。",
    "store": "日志库放在 sqlite:[PATH]、memory:（退出就没了），或者几个聊天共用的 Redis："
    "redis://[USER:PASSWORD@]HOST[:PORT][/DB]、rediss://…、unix:PATH、redis+sentinel://HOST,HOST/NAME；"
    "用空格隔开可以写几个（docs/scaling.zh.md）。",
    "durability": "一条消息经得起什么才算保存好了：断电（disk），或者程序崩溃（process；断电时最新的可能丢失）。"
    "用 Redis 时由那台服务器决定；cache 连会丢失内容的也接受，replica 要等副本也收到才回答。",
    "archive": "用 Redis 时：把它不会永久保留的内容保存在 sqlite:[PATH]（所有工作进程在同一台机器上）"
    "或 postgresql://[USER@]HOST[:PORT]/DATABASE；none 表示只有最新的。",
    "archive-password-file": "PostgreSQL 的密码没有写在地址里时，从这个文件读取。",
    "redis-keep": "每个房间在 Redis 里保留这么多条；有归档时，更早的在归档里。",
    "message-burst": "一个会话一次最多可以连发这么多。",
    "message-rate": "之后可以按这个速率继续发，可以是小数。",
    "connections-per-address": "一个地址（IPv6 按 /64）最多可以有这么多连接；none 表示不限。",
    "connects-per-minute": "一个地址最多可以这么频繁地连接；none 表示不限。",
    "limit-loopback": "这两条限额对本机的程序也有效。",
    "echo-max": f"发到 /echo 的消息最长是这么多；最多 {ECHO_BYTES}，一致性测试套件会发这么大的。",
    "insecure-no-limits": "取消各种速率限额。只用于性能测试和测试。",
    "default-dialect": f"在 / 上使用这种方言：{'、'.join(DEFAULTS)}。",
    "default-room": "没有指定房间的人进入这个房间。",
    "lang": f"没有指定语言的人使用这种语言：{'、'.join(LANGUAGES)}。",
    "compression": "WebSocket 一方提出 permessage-deflate 时予以启用：长消息的流量更少。",
    "log-format": "日志给人看（human），还是每行一个 JSON 对象（json）；auto 在终端上是 human。",
    "log-level": f"省去不那么重要的：{'、'.join(LOG_LEVELS)}。",
    "metrics-listen": "在这个 endpoint 上提供 /metrics（Prometheus）；public 表示放在主端口上，none 表示不提供。",
    "config": "从这个文件（TOML）读取设置；命令行和环境变量优先。",
    "strict": "文件或 CHAT_* 里有不认识的设置时不启动。",
}


def in_chinese(option: Option) -> Option:
    """The option with everything that is shown of it in Chinese.

    :raises KeyError: with what nobody has translated yet.
    """
    return replace(
        option,
        group=GROUPS[option.group],
        help=HELP[option.name],
        unit=UNITS[option.unit],
        otherwise=OTHERWISE[option.name] if option.otherwise else "",
    )
