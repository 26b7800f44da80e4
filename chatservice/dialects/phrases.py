"""Every sentence the service says, in the languages it speaks.

Keys are the `about` of notices and the names of events. Values are `str.format` templates of our own;
what peers wrote goes in as values only and is never a template.
"""

from __future__ import annotations

from collections.abc import Mapping

from chatservice.domain.errors import Span

LANGUAGES = ("en", "zh-CN")

_PHRASES: dict[str, tuple[str, str]] = {
    "enter": ("{nick} comes in", "{nick} 进来了"),
    "leave": ("{nick} left", "{nick} 离开了"),
    "says": ("{nick} says: {text}", "{nick} 说：{text}"),
    "renamed": ("{was} is now {nick}", "{was} 改名为 {nick}"),
    "members": ("{n} in {room}: {nicks}", "{room} 里有 {n} 人：{nicks}"),
    "line_leave": ("{nick} left", "{nick}下线了"),
    "erased": ("a message that was deleted", "一条已删除的消息"),
    "edited": ("{nick} edited: {text}", "{nick} 改成：{text}"),
    "deleted": ("{nick} deleted a message", "{nick} 删除了一条消息"),
    "reacted": ("{nick} reacted with {emoji}", "{nick} 回应了 {emoji}"),
    "unreacted": ("{nick} took {emoji} back", "{nick} 收回了 {emoji}"),
    "mod_mute": ("{nick} muted {target}", "{nick} 禁言了 {target}"),
    "mod_unmute": ("{nick} lets {target} speak again", "{nick} 解除了 {target} 的禁言"),
    "mod_kick": ("{nick} threw {target} out", "{nick} 把 {target} 请了出去"),
    "mod_ban": ("{nick} banned {target}", "{nick} 封禁了 {target}"),
    "mod_unban": ("{nick} lifted the ban on {target}", "{nick} 解封了 {target}"),
    "mod_slow": ("{nick} lets everybody write once in {value} s", "{nick} 开启慢速模式：每人 {value} 秒一条"),
    "mod_slow_0": ("{nick} ended slow mode", "{nick} 关闭了慢速模式"),
    "mod_lock": ("{nick} locked the room: only moderators write", "{nick} 锁定了房间：只有管理员能发言"),
    "mod_lock_off": ("{nick} unlocked the room", "{nick} 解锁了房间"),
    "span": ("for {span}", "{span}"),
    "mod_role": ("{nick} made {target} {value}", "{nick} 把 {target} 设为 {value}"),
    "crowded": ("{came} people came, {left} left", "来了 {came} 人，走了 {left} 人"),
    "mod_topic": ("{nick} set the topic: {value}", "{nick} 把话题设为：{value}"),
    "mod_expires_0": ("{nick} lets messages stay for ever", "{nick} 让消息永久保留"),
    "mod_expires": ("{nick} lets messages expire after {value} s", "{nick} 让消息在 {value} 秒后过期"),
    "truncated": (
        "the newest messages did not survive a fault of the server",
        "服务器出过故障，最新的几条消息没有保住",
    ),
    "lagged": ("{n} messages skipped, /history {ask}", "跳过了 {n} 条消息，/history {ask} 可以看"),
    "line_welcome": (
        "you are {nick} in {room}, {n} here; /help lists the commands",
        "你是 {nick}，在 {room}，共 {n} 人；/help 列出命令",
    ),
    "greeting": ("Hi {address}!", "Hi {address}!"),
    "more": ("and {n} more", "还有 {n} 人"),
    "internal": ("something broke on our side; please try again", "服务器出错了，请再试一次"),
    "rate_limited": ("slow down: {seconds:.1f} s", "说得太快了：请等 {seconds:.1f} 秒"),
    "busy": ("the server is busy; please try again in a moment", "服务器正忙，请稍后再试"),
    "unavailable": ("the history is out of reach; please try again", "暂时读不到聊天记录，请再试一次"),
    "storage_full": (
        "no message can be kept any more; the operator has to look",
        "服务器已经存不下新消息，需要管理员处理",
    ),
    "stalled": ("nothing can be said for a moment; you stay connected", "暂时无法发言，连接会保持"),
    "going_on": ("you can talk again", "可以继续聊天了"),
    "cid_conflict": ("another message was sent under this id before", "这个编号之前发过另一条消息"),
    "nick_taken": ("the name {nick} is taken", "名字 {nick} 已经有人用了"),
    "nick_characters": (
        "a name needs a visible character, no control characters, and no * @ / # in front",
        "名字不能为空，不能含控制字符，也不能以 * @ / # 开头",
    ),
    "nick_scripts": (
        "a name is written in one script, or in Latin together with Chinese, Japanese or Korean",
        "名字只能用一种文字，或者拉丁字母加中文、日文、韩文",
    ),
    "nick_too_long": ("a name has at most {limit} characters", "名字最多 {limit} 个字"),
    "room_name": (
        "a room name has 1 to 64 characters, no control characters, and no @ or dm: in front",
        "房间名要 1 到 64 个字，不能含控制字符，也不能以 @ 或 dm: 开头",
    ),
    "text_too_long": ("a message has at most {limit} characters", "一条消息最多 {limit} 个字"),
    "not_joined": ("you are in no room; /join ROOM takes you into one", "你不在任何房间里，/join 房间名 可以进去"),
    "no_backup": (
        "only files of SQLite are copied here: a Redis by redis-cli --rdb, a PostgreSQL by pg_dump"
        " (docs/scaling.md, Backups), and memory keeps nothing",
        "这里只能备份 SQLite 的文件：Redis 用 redis-cli --rdb，PostgreSQL 用 pg_dump"
        "（docs/scaling.md），内存里的内容不保存",
    ),
    "not_available": ("that is not available here", "这里没有这个功能"),
    "not_in_room": ("you are not in that room", "你不在那个房间里"),
    "no_guests": (
        "only people with an account are let in; /login NAME PASSWORD",
        "这里只接待有账号的人；/login 名字 密码",
    ),
    "login_in_the_clear": (
        "others could read your password on the way; sign in on the page or over TLS",
        "密码在路上可能被人看到；请在网页上或通过 TLS 登录",
    ),
    "bad_login": ("that name and that password do not belong together", "名字和密码不匹配"),
    "too_many_tries": ("too many tries; wait {seconds:.0f} s", "尝试次数太多：请等 {seconds:.0f} 秒"),
    "bad_password": ("a password has 8 to 256 characters", "密码要 8 到 256 个字符"),
    "no_account": ("there is no such account", "没有这个账号"),
    "bad_role": ("a role is member, mod or owner", "角色只能是 member、mod 或 owner"),
    "sessions_ended": ("this account was signed out everywhere; sign in again", "这个账号已全部退出，请重新登录"),
    "somebody_else": ("that token is somebody else's", "这是别人的令牌"),
    "private": ("this room is private; you need an invitation", "这个房间不公开，需要邀请"),
    "bad_invitation": ("this invitation is not good here, or not any more", "这个邀请无效，或者已经过期"),
    "invitation_used": ("this invitation has been used", "这个邀请已经用完了"),
    "bad_invite": (
        "an invitation is good for at most {days} days and {n} people",
        "一个邀请最多有效 {days} 天，最多 {n} 人使用",
    ),
    "mod_private": ("{nick} made the room private", "{nick} 把房间设为私密"),
    "mod_private_off": ("{nick} opened the room to everybody", "{nick} 向所有人开放了房间"),
    "hello_first": ("say hello first", "请先发 hello"),
    "hello_twice": ("hello was said already", "hello 已经发过了"),
    "unauthorized": ("this token is not one of ours", "这个令牌无效"),
    "token_expired": ("this token has expired", "这个令牌已经过期"),
    "forbidden": ("you may not do that", "你不能这么做"),
    "banned": ("you are banned here", "你被封禁了"),
    "kicked": ("you were thrown out", "你被请了出去"),
    "locked": ("only moderators may write here now", "现在只有管理员能发言"),
    "muted": ("you are muted here", "你被禁言了"),
    "muted_for": ("you are muted here; {span} left", "你被禁言了，还剩 {span}"),
    "not_yours": ("that message is not yours", "那条消息不是你的"),
    "no_message": ("there is no such message any more", "没有这条消息了"),
    "conflict": ("it has been edited since, it is revision {rev} now", "它已经被改过，现在是第 {rev} 版"),
    "too_many_reactions": ("a message has at most {limit} kinds of reactions", "一条消息最多 {limit} 种回应"),
    "too_many_rooms": ("you may be in at most {limit} rooms", "最多同时在 {limit} 个房间"),
    "nobody_called": ("nobody here is called {nick}", "这里没有叫 {nick} 的人"),
    "no_effect": ("that would change nothing for {nick}", "这对 {nick} 没有任何作用"),
    "bans": ("{n} banned from {room}: {who}", "{room} 封禁了 {n} 人：{who}"),
    "no_bans": ("nobody is banned from {room}", "{room} 没有封禁任何人"),
    "topic": ("the topic: {topic}", "话题：{topic}"),
    "no_topic": ("no topic is set", "还没有话题"),
    "bad_emoji": ("that is no emoji", "这不是表情"),
    "bad_mod": ("there is no such action, or it lacks a user or a value", "没有这种操作，或者缺少用户或值"),
    "bad_status": ("a status is online, away or dnd", "状态只能是 online、away 或 dnd"),
    "bad_query": ("a search has 1 to {limit} characters", "搜索词要 1 到 {limit} 个字"),
    "bad_json": ("this is no JSON object", "这不是 JSON 对象"),
    "bad_field": ("the member {field} is missing or wrong", "成员 {field} 缺失或不对"),
    "bad_version": ("this server speaks version 1", "这个服务器只支持版本 1"),
    "bad_token": ("this token is not one of ours", "这个令牌无效"),
    "bad_protocol": ("this breaks the protocol", "不符合协议"),
    "no_hello": ("hello did not come in time", "没有及时收到 hello"),
    "one_side": ("give one of before, after, around", "before、after、around 只能给一个"),
    "empty_text": ("there is nothing to say", "消息是空的"),
    "no_room": ("there is no such room", "没有这个房间"),
    "no_history": ("nothing there yet", "还没有人说过话"),
    "since_too_much": (
        "that is more than can be shown at once; /history shows the newest",
        "内容太多，一次显示不完；/history 可以看最新的",
    ),
    "since_too_far": (
        "more than {limit} messages have come since; /history shows the newest",
        "之后的消息超过 {limit} 条，/history 可以看最新的",
    ),
    "position_lost": (
        "your place in {room} is not known any more ({reason}); here are the newest messages",
        "你在 {room} 的位置已经失效（{reason}），下面是最新的消息",
    ),
    "unknown_command": ("/{name} is no command; /help lists them", "没有 /{name} 这个命令，/help 列出所有命令"),
    "unknown_type": ("there is no type {name}", "没有 {name} 这种类型"),
    "usage": ("usage: {usage}", "用法：{usage}"),
    "help": (
        "/nick NAME · /join ROOM · /who · /history N · /since N · /me DOES · /topic · /delete takes your last"
        " message back · /help · //text says /text",
        "/nick 名字 · /join 房间 · /who · /history N · /since N · /me 动作 · /topic 看话题 · /delete 收回上一条"
        " · /help · //文字 说出 /文字",
    ),
    "help_mod": (
        "as a moderator: /kick NICK · /ban NICK 1h · /unban NICK · /bans · /mute NICK 10m · /unmute NICK"
        " · /slow 10s (off) · /lock (off) · /delete NICK or N · /topic WORDS; without a time it is for ever",
        "管理员还可以：/kick 名字 · /ban 名字 1小时 · /unban 名字 · /bans · /mute 名字 10分钟 · /unmute 名字"
        " · /slow 10秒（off 取消）· /lock（off 解锁）· /delete 名字或编号 · /topic 话题；不写时间就是永久",
    ),
    "not_text": ("binary is for /echo; here only text is spoken", "这里只收文本；二进制请发到 /echo"),
    "backup_failed": ("no backup was made: {why}", "备份没有成功：{why}"),
    "bye": ("bye", "再见"),
    "too_many": ("too many connections of yours are open", "你打开的连接太多了"),
    "flood": ("too much, too fast, for too long", "长时间发送过快"),
    "shutdown": (
        "the server restarts; come back in {seconds:.1f} s",
        "服务器正在重启，请在 {seconds:.1f} 秒后再来",
    ),
    "out_of_step": (
        "the server lost track of what you have seen; come back in a moment",
        "服务器弄不清你看到哪里了，请稍后再来",
    ),
    "slow_reader": ("you read too slowly", "你读得太慢了"),
    "bad_header": ("the header {header} is not UTF-8", "请求头 {header} 不是 UTF-8"),
    "bad_utf8": ("this is not UTF-8; please set your client to it", "这不是 UTF-8，请把客户端的编码设为 UTF-8"),
    "line_too_long": ("a line has at most {limit} bytes", "一行最多 {limit} 个字节"),
    "still_there": (
        "still there? say something within {seconds} s, or this connection ends",
        "还在吗？{seconds} 秒内不说话就会断开",
    ),
    "timed_out": ("timed out", "连接超时"),
    "not_a_chat": ("this port speaks lines of chat, not HTTP", "这个端口是聊天用的，不是 HTTP"),
}


def say(lang: str, about: str, params: Mapping[str, object] | None = None) -> str:
    """The sentence `about` in `lang`; a phrase nobody wrote shows as its own name."""
    row = _PHRASES.get(about)
    if row is None:
        return about
    values = (params or {}).items()
    said = {name: in_words(lang, value) if isinstance(value, Span) else value for name, value in values}
    return row[1 if lang == "zh-CN" else 0].format_map(said)


UNITS = ((86400, "d", "天"), (3600, "h", "小时"), (60, "min", "分钟"), (1, "s", "秒"))


def in_words(lang: str, span: Span) -> str:
    """A time by its biggest unit and the next one: `2 d 3 h`, `10 分钟`; what is smaller is left away."""
    left, words = max(1, span.s), list[str]()
    for size, english, chinese in UNITS:
        n, rest = divmod(left, size)
        if n:
            words.append(f"{n} {chinese if lang == 'zh-CN' else english}")
        elif words:
            break  # 2 d, not 2 d 0 h 5 min
        left = rest
    return " ".join(words[:2])


def choose_language(wish: str | None, default: str) -> str:
    """The language a peer gets: `wish` may be any BCP 47 tag such as `zh-Hans-CN` or `en_US`."""
    primary = (wish or "").replace("_", "-").split("-")[0].lower()
    return {"zh": "zh-CN", "en": "en"}.get(primary, default)


def names() -> frozenset[str]:
    """Every phrase there is; a test holds them against the code."""
    return frozenset(_PHRASES)


def list_nicks(lang: str, nicks: list[str], n: int, most: int = 50) -> str:
    """Nicks for a sentence; the rest is counted."""
    shown = nicks[:most]
    more = n - len(shown)
    if more > 0:
        shown.append(say(lang, "more", {"n": more}))
    return ("、" if lang == "zh-CN" else ", ").join(shown)
