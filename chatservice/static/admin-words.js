// Every word of the operator's page, in both languages. Keys are equal in all of them; a test holds that.

export const WORDS = {
  en: {
    title: "The house", page: "Admin", sign_in: "For owners and moderators", sign_in_about: "Sign in with such an account of this service.",
    name: "Name", password: "Password", enter: "Sign in", out: "Sign out", read_only: "As a moderator you can look here; what you may do you do in the rooms.",
    on: "live", off: "connection lost, trying again", waiting: "waiting", signed: "{nick} · {role}",
    wrong: "Name or password are not right.", not_keeper: "This account may not look here.", slow_down: "Too many tries: wait {s} s.", broken: "That did not work ({code}).",
    open: "Connections", people: "People", rooms: "Rooms", per_s: "Messages a second", lag: "Loop lag", memory: "Memory", up: "Up for", refused: "Turned away",
    connections: "Connections by dialect", trouble: "What went wrong lately", settings: "Settings",
    dialect: "Dialect", n: "Number", queue: "Waiting in all", most: "Most for one", lagging: "Lagging", room: "Room", seq: "Newest number", here: "People", state: "State",
    nick: "Nick", conns: "Connections", in_rooms: "Rooms", over: "Speaks", act: "Act…", setting: "Setting", value: "Value", source: "Said by", when: "When", words: "Words",
    private: "private", locked: "locked", guest: "guest", nothing: "Nothing.", nobody: "Nobody is here.", more: "And {n} more.", direct: "And {n} private conversations, not listed.", all: "Show all {n}", fewer: "Show fewer",
    workers: "Workers", worker: "Worker", rate: "Messages/s", since: "As of", now: "now", ago: "{s} ago", rooms_here: "Rooms here", lag_most: "Loop lag, the most",
    w_here: "shows this page", w_lives: "running", w_unknown: "not heard of", w_gone: "gone",
    w_sums: "Figures above and connections are those of {n} workers together; each says anew every 5 s how it stands. Who is connected by two of them counts twice.", w_away: "What all workers share does not answer: the others as of {s} ago.",
    w_one: "As {worker} has it, which shows this page.",
    acting: "{nick}", what: "What", how_long: "For how long", reason: "Reason (everybody in the room sees it)", cancel: "Cancel", done: "Done.",
    kick: "Throw out", ban: "Ban", mute: "Mute", unban: "Lift the ban", unmute: "Let speak again",
    for_600: "10 minutes", for_3600: "An hour", for_86400: "A day", for_604800: "A week", for_0: "For good",
    s_default: "default", s_flag: "command line", s_environment: "environment", s_file: "file",
  },
  "zh-CN": {
    title: "内务", page: "管理", sign_in: "所有者与管理员入口", sign_in_about: "请用本服务的所有者或管理员账号登录。",
    name: "名字", password: "密码", enter: "登录", out: "退出", read_only: "管理员在这里只能看；能做的事到房间里做。",
    on: "实时", off: "连接断了，正在重试", waiting: "等待", signed: "{nick} · {role}",
    wrong: "名字或密码不对。", not_keeper: "这个账号不能看这里。", slow_down: "试得太多了：请等 {s} 秒。", broken: "没有成功（{code}）。",
    open: "连接", people: "人", rooms: "房间", per_s: "每秒消息", lag: "循环延迟", memory: "内存", up: "已运行", refused: "拒之门外",
    connections: "各方言的连接", trouble: "最近出的问题", settings: "设置",
    dialect: "方言", n: "数量", queue: "等待发送（合计）", most: "单个最多", lagging: "落后", room: "房间", seq: "最新编号", here: "人数", state: "状态",
    nick: "昵称", conns: "连接", in_rooms: "所在房间", over: "方言", act: "处理…", setting: "设置", value: "值", source: "来自", when: "时间", words: "内容",
    private: "私密", locked: "锁定", guest: "访客", nothing: "没有。", nobody: "没有人。", more: "还有 {n} 个。", direct: "另有 {n} 个私聊，未列出。", all: "全部显示（{n}）", fewer: "收起",
    workers: "工作进程", worker: "进程", rate: "每秒消息", since: "截至", now: "现在", ago: "{s} 前", rooms_here: "本进程的房间", lag_most: "循环延迟（最大）",
    w_here: "显示本页", w_lives: "运行中", w_unknown: "没有音信", w_gone: "已消失",
    w_sums: "上面的数字和连接是 {n} 个工作进程的合计；每个进程每 5 秒重新报告一次。同时连着两个进程的人算两次。", w_away: "工作进程共用的存储没有应答：其他进程的数字截至 {s} 前。",
    w_one: "这是显示本页的 {worker} 所知道的。",
    acting: "{nick}", what: "做什么", how_long: "多久", reason: "理由（房间里的人都看得到）", cancel: "取消", done: "好了。",
    kick: "请出去", ban: "封禁", mute: "禁言", unban: "解封", unmute: "解除禁言",
    for_600: "10 分钟", for_3600: "一小时", for_86400: "一天", for_604800: "一周", for_0: "永久",
    s_default: "默认", s_flag: "命令行", s_environment: "环境变量", s_file: "文件",
  },
};

export function say(language, key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}
