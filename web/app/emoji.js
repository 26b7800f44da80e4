// Our own small list: an emoji, then what people call it, in English and in Chinese.

/** @typedef {{emoji: string, name: string, words: string[]}} Emoji */

// One line a group; within, one emoji and its words (joined by underscores) after another.
const GROUPS = `
😀 grin_smile_happy_笑_开心 😄 smile_joy_开心_大笑 😁 beam_嘿嘿_露齿笑 😆 laugh_lol_哈哈 😅 sweat_phew_尴尬_汗 😂 joy_tears_笑哭_哈哈 🤣 rofl_笑翻 🙂 slight_smile_微笑 🙃 upside_down_倒脸_无奈 😉 wink_眨眼 😊 blush_害羞_微笑 😇 angel_天使 🥰 love_喜欢_爱 😍 heart_eyes_花痴_喜欢 😘 kiss_亲亲_飞吻 😋 yum_好吃 😜 tongue_吐舌 🤪 zany_疯 🤗 hug_抱抱 🤭 giggle_偷笑 🤫 hush_嘘 🤔 thinking_思考_想 🤐 zip_闭嘴 😐 neutral_无语 😑 expressionless_无语 😶 no_mouth_沉默 😏 smirk_得意 🙄 roll_eyes_白眼 😬 grimace_尴尬 😌 relieved_安心 😴 sleep_困_睡 🤤 drool_口水 😷 mask_口罩_生病 🤒 sick_fever_发烧 🤕 hurt_受伤 🤢 nausea_恶心 🤯 mind_blown_震惊_爆炸 🥳 party_庆祝_生日 😎 cool_酷_墨镜 🤓 nerd_书呆子 🧐 monocle_观察 😕 confused_困惑 😟 worried_担心 🙁 frown_不开心 😮 wow_哇_惊讶 😲 astonished_惊讶 🥺 plead_求求_可怜 😢 cry_哭_难过 😭 sob_大哭 😱 scream_害怕_尖叫 😞 sad_失望 😓 sweat_汗 😩 weary_累 😤 huff_哼_生气 😡 angry_rage_生气_怒 🤬 swear_骂人 😈 devil_恶魔 💀 skull_dead_骷髅_笑死 💩 poop_便便 🤡 clown_小丑 👻 ghost_鬼 👽 alien_外星人 🤖 robot_bot_机器人 🙈 see_no_evil_不看_猴 🙉 hear_no_evil_不听 🙊 speak_no_evil_不说
👍 thumbs_up_yes_ok_赞_好_同意 👎 thumbs_down_no_踩_反对 👌 ok_好的_没问题 🤝 handshake_deal_握手_合作 👏 clap_applause_鼓掌 🙌 hooray_praise_欢呼 🙏 pray_thanks_please_谢谢_拜托_祈祷 💪 muscle_strong_加油_强 👋 wave_hi_hello_bye_你好_再见_挥手 ✌️ peace_victory_耶 🤞 fingers_crossed_祝好运 🤟 love_you_爱你 🤙 call_me_打电话 👈 left_左 👉 right_右 👆 up_上 👇 down_下 ☝️ point_指 ✋ hand_stop_停 ✊ fist_拳 👊 punch_拳头 🫡 salute_敬礼_收到 🫶 heart_hands_比心 🤦 facepalm_捂脸 🤷 shrug_耸肩_不知道 🙋 raise_hand_举手 🙇 bow_鞠躬 💃 dance_跳舞 🏃 run_跑 👀 eyes_look_看_围观 🧠 brain_脑 👶 baby_宝宝 👨‍💻 man_coder_程序员 👩‍💻 woman_coder_程序员
❤️ heart_love_爱_心 🧡 orange_heart_橙心 💛 yellow_heart_黄心 💚 green_heart_绿心 💙 blue_heart_蓝心 💜 purple_heart_紫心 🖤 black_heart_黑心 💔 broken_heart_心碎 💯 hundred_perfect_满分 💢 anger_怒 💥 boom_爆炸 💦 drops_汗 💤 zzz_睡 ✨ sparkles_闪_漂亮 ⭐ star_星 🌟 glow_star_星星 🔥 fire_hot_火_厉害 🎉 tada_party_congrats_恭喜_庆祝 🎊 confetti_庆祝 🎁 gift_礼物 🎂 cake_birthday_生日_蛋糕 🏆 trophy_win_奖杯_冠军 🥇 gold_first_金牌 🎯 target_goal_目标 ✅ check_done_yes_完成_对 ☑️ checkbox_勾选 ✔️ tick_对勾 ❌ cross_no_wrong_错_不 ❗ exclamation_注意_感叹 ❓ question_问号_疑问 ⚠️ warning_警告 🚫 forbidden_禁止 ⛔ no_entry_禁止 🆗 okay_好 🆕 new_新 ➕ plus_加 ➖ minus_减 ♻️ recycle_循环 🔴 red_红 🟡 yellow_黄 🟢 green_绿 🔵 blue_蓝
🐶 dog_狗 🐱 cat_猫 🐭 mouse_鼠 🐰 rabbit_兔 🦊 fox_狐狸 🐻 bear_熊 🐼 panda_熊猫 🐯 tiger_虎 🦁 lion_狮 🐮 cow_牛 🐷 pig_猪 🐸 frog_青蛙 🐵 monkey_猴 🐔 chicken_鸡 🐧 penguin_linux_企鹅 🐦 bird_鸟 🦆 duck_鸭 🦉 owl_猫头鹰 🐴 horse_马 🦄 unicorn_独角兽 🐝 bee_蜜蜂 🐛 bug_虫_错误 🦋 butterfly_蝴蝶 🐢 turtle_slow_乌龟 🐍 snake_python_蛇 🐉 dragon_龙 🐳 whale_docker_鲸 🐟 fish_鱼 🐙 octopus_章鱼 🦀 crab_rust_蟹 🌸 blossom_樱花_花 🌹 rose_玫瑰 🌻 sunflower_向日葵 🌲 tree_树 🍀 luck_clover_好运_四叶草 🍂 leaves_autumn_落叶_秋 🌈 rainbow_彩虹 ☀️ sun_太阳_晴 🌙 moon_月亮_晚安 ☁️ cloud_云 🌧️ rain_雨 ⚡ lightning_fast_闪电_快 ❄️ snow_雪 🌊 wave_sea_海浪 🌍 earth_world_地球_世界
🍎 apple_苹果 🍉 watermelon_西瓜_吃瓜 🍓 strawberry_草莓 🍑 peach_桃 🍋 lemon_柠檬 🍌 banana_香蕉 🍇 grapes_葡萄 🍅 tomato_番茄 🌶️ chili_辣 🍞 bread_面包 🍳 egg_蛋_早饭 🍔 burger_汉堡 🍟 fries_薯条 🍕 pizza_披萨 🌭 hotdog_热狗 🥟 dumpling_饺子 🍜 noodles_面 🍚 rice_米饭 🍣 sushi_寿司 🍱 bento_lunch_便当_午饭 🥮 mooncake_月饼 🍦 ice_cream_冰淇淋 🍪 cookie_饼干 🍫 chocolate_巧克力 🍬 candy_糖 ☕ coffee_咖啡 🍵 tea_茶 🧋 bubble_tea_奶茶 🍺 beer_啤酒 🍻 cheers_干杯 🍷 wine_红酒 🥂 toast_碰杯_庆祝 🧊 ice_冰 🥢 chopsticks_筷子
⚽ football_soccer_足球 🏀 basketball_篮球 🏓 ping_pong_乒乓 🏸 badminton_羽毛球 🎮 game_游戏 🎲 dice_骰子 🀄 mahjong_麻将 🎵 music_音乐 🎤 sing_mic_唱歌 🎧 headphones_耳机 🎬 movie_电影 📷 camera_相机_照片 🚗 car_车 🚌 bus_公交 🚇 metro_地铁 🚄 train_高铁_火车 ✈️ plane_flight_飞机 🚀 rocket_ship_launch_火箭_发布 🚲 bike_自行车 🏠 home_家 🏢 office_公司_办公室 🏖️ beach_vacation_海滩_度假 ⛰️ mountain_山 🗺️ map_地图 🧧 red_packet_红包 🏮 lantern_灯笼 🎆 fireworks_烟花
💻 laptop_computer_电脑 🖥️ desktop_显示器 📱 phone_手机 ⌨️ keyboard_键盘 🖱️ mouse_鼠标 🔋 battery_电池 🔌 plug_插头 💡 idea_light_想法_灯泡 🔧 fix_wrench_修_扳手 🔨 build_hammer_锤子 ⚙️ settings_gear_设置_齿轮 🧪 test_experiment_测试_实验 🔬 microscope_研究 📦 package_release_包_发布 📝 note_write_笔记_写 📄 page_doc_文档 📁 folder_文件夹 📎 clip_附件 📌 pin_置顶_图钉 📅 calendar_date_日历_日期 ⏰ alarm_time_闹钟_时间 ⏳ wait_hourglass_等待_沙漏 📈 up_chart_上涨_图表 📉 down_chart_下跌 📊 chart_统计 💰 money_钱 💎 gem_宝石 🔒 lock_锁_安全 🔑 key_钥匙 🔍 search_find_搜索_放大镜 🔗 link_链接 📢 announce_通知_公告 🔔 bell_铃_提醒 🔕 mute_静音 💬 chat_speech_聊天_消息 📧 mail_email_邮件 📚 books_书 🎓 graduate_毕业 ✏️ pencil_铅笔 🗑️ trash_垃圾桶_删除 🚧 construction_wip_施工 🏁 finish_终点_完成
`;

/** @type {Emoji[][]} */
export const GROUPED = GROUPS.trim().split("\n").map((line) => {
  const parts = line.split(" ");
  return Array.from({ length: parts.length / 2 }, (_, index) => {
    const words = parts[index * 2 + 1].split("_");
    return { emoji: parts[index * 2], name: words.filter((word) => /^[\x00-\x7f]+$/.test(word)).slice(0, 2).join(" "), words };
  });
});

/** @type {Emoji[]} */
export const EMOJI = GROUPED.flat();

/**
 * Those that are called so; whose name begins with it come first.
 * @param {string} query @param {number} [most]
 */
export function find(query, most = EMOJI.length) {
  const wanted = query.toLocaleLowerCase().replaceAll("_", " ").trim();
  if (!wanted) return EMOJI.slice(0, most);
  const exact = EMOJI.filter(({ words }) => words.includes(wanted));
  const starting = EMOJI.filter(({ words }) => words.some((word) => word.startsWith(wanted)));
  const holding = EMOJI.filter(({ words }) => words.join(" ").includes(wanted));
  return [...new Set([...exact, ...starting, ...holding])].slice(0, most);
}
