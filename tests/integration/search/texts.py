"""What is said in the corpus: of every kind a message that must be found, and one that must not be taken for it."""

FILE_NAME = "季度报告 final-draft.png"
LONG = "filler words here " * 850 + "needleword 藏在最后"
TEXTS = (
    "We deployed the database to production yesterday",
    "我们今天讨论数据库的连接优化问题",
    "产品和服务都很好",
    "这件和服很漂亮",
    "好",
    "use node.js and snake_case_names now",
    "call getUserById(42) or std::vector<int> in C++",
    "https://example.org/path/to?page=17#top",
    "Café déjà vu à la crème",
    "Straße und Übermut",
    "שָׁלוֹם עולם",
    "العَرَبِيَّة لغة جميلة",
    "Привет мир, как дела",
    "नमस्ते दुनिया",
    "학교에서 만나요",
    "今日は東京タワーへ行きます",
    "ready to ship 🎉🚀",
    "flags 🇨🇳 and families 👨‍👩‍👧",
    "ＦＵＬＬＷＩＤＴＨ ｔｅｘｔ",
    "发布v2版本到staging环境",
    "100% sure - it's a ~tilde \"quoted\" 'single'",
    "chat_id = 1 OR true; DROP TABLE messages; -- c:1 | !x & <-> s:1 ^dro",
    "don't panic",
    "apple banana cherry",
    "banana apple cherry",
    LONG,
)
