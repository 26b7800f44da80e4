// Every word of the page, in both languages. Keys are equal in all of them; a test holds that.

export const WORDS = {
  en: {
    ask_name: "What should we call you?", room: "Room", name: "Your name", enter: "Enter",
    change_name: "Change name:", people: "People here", retry: "Try now", earlier: "Show earlier messages",
    empty: "Nobody has said anything yet. Write the first line.", write: "Message", send: "Send",
    write_to: "Message #{room}", connecting: "Connecting…", lost: "Connection lost. What you write is sent when it is back.",
    lost_retry: "Connection lost, next try in {s} s. What you write is sent when it is back.",
    sending: "sending…", waiting: "waiting for the connection", unsure: "not confirmed",
    again: "Send again", drop: "Drop", new_messages: "↓ {n} new", today: "Today", yesterday: "Yesterday",
    skipped: "Some messages could not be recovered; these are the newest.", you: "(you)", log: "Messages",
  },
  "zh-CN": {
    ask_name: "你叫什么？", room: "房间", name: "你的名字", enter: "进入",
    change_name: "改名：", people: "在线的人", retry: "立即重试", earlier: "显示更早的消息",
    empty: "还没有人说话。写下第一句吧。", write: "消息", send: "发送",
    write_to: "发消息到 #{room}", connecting: "正在连接…", lost: "连接已断开。你写的会在恢复后自动发出。",
    lost_retry: "连接已断开，{s} 秒后重试。你写的会在恢复后自动发出。",
    sending: "发送中…", waiting: "等待连接", unsure: "没有确认送达",
    again: "再发一次", drop: "丢弃", new_messages: "↓ {n} 条新消息", today: "今天", yesterday: "昨天",
    skipped: "有些消息没能找回，下面是最新的。", you: "（你）", log: "消息记录",
  },
};

export function chooseLanguage(wishes) {
  for (const wish of wishes) {
    const primary = String(wish || "").toLowerCase().split(/[-_]/)[0];
    if (primary === "zh") return "zh-CN";
    if (primary === "en") return "en";
  }
  return "en";
}

export function say(language, key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
