"""Text to search in: real chat where it is beside the project, and Chinese of our own making.

english()        lines of a public chat history, or made ones where it is not there
chinese(seed)    lines as a team of engineers might write them, without end
"""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from faker.providers.lorem.en_US import Provider as English
from faker.providers.lorem.zh_CN import Provider as Chinese


def _listed(words: str) -> list[str]:
    return words.split()


RARE_WORDS = 20_000
_PLACE = Path("shared") / "data" / "chat-history.jsonl.gz"
_PEOPLE = _listed("小王 小李 老张 陈静 刘洋 赵磊 周敏 吴昊 郑爽 孙悦 黄蕾 徐强 何平 林涛 郭佳 马骏 ")
_THINGS = _listed(
    "数据库 服务器 前端 后端 接口 缓存 队列 索引 日志 监控 告警 权限 密码 令牌 "
    "会话 搜索 排序 分页 附件 缩略图 通知 消息 频道 群组 工作区 客户端 浏览器 证书 "
    "域名 网关 负载 备份 快照 集群 节点 主库 从库 事务 迁移 版本 分支 补丁 流水线 "
    "测试用例 需求文档 设计稿 合同 发票 预算 报销单 会议纪要 周报 季度目标 招聘计划 "
    "培训材料 产品路线图 用户反馈 竞品分析 数据报表 运营活动 供应商 物流 仓库 库存 "
)
_DEEDS = _listed(
    "部署 上线 回滚 重启 修复 优化 重构 评审 合并 发布 测试 验证 排查 复现 升级 "
    "扩容 迁移 备份 恢复 审批 确认 讨论 安排 整理 更新 同步 提交 撤回 关闭 打开 "
    "设计 开发 联调 交付 汇报 采购 报销 签署 归档 "
)
_WHEN = _listed("今天 明天 昨天 下周 上午 下午 晚上 月底 节前 刚才 现在 周一 周三 周五 年初 开会前 ")
_MOODS = _listed("终于 已经 还没 马上 需要 可以 应该 暂时 重新 尽快 一起 正在 ")
_ENDS = _listed("好吗 了 吧 谢谢 辛苦了 请大家看一下 有问题找我 等一下再说 没问题 收到 ")
_SHAPES = (
    "{who}{when}{mood}{deed}{thing}{end}",
    "{thing}的{other}{mood}{deed}，{when}{who}会{deed2}",
    "关于{thing}和{word}的{other}，{who}觉得{mood}{deed}{end}",
    "{when}{deed}{thing}，{word}{word2}{end}",
    "@{who} {thing} {deed}失败，错误码 {number}，{when}{deed2}{end}",
    "{word}{thing}在哪里？{who}{when}要{deed2}{other}",
)


def english() -> Iterator[str]:
    """The real history in its order; else sentences without end."""
    here = Path(__file__).resolve()
    real = next((parent / _PLACE for parent in here.parents if (parent / _PLACE).is_file()), None)
    if real is None:
        yield from _made(random.Random(1))
        return
    with gzip.open(real, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)["text"]


def chinese(seed: int = 1) -> Iterator[str]:
    """Common words come often and rare ones seldom, as in any language."""
    chance = random.Random(seed)
    rare = _words_of(Chinese)
    while True:
        yield chance.choice(_SHAPES).format(
            who=_pick(chance, _PEOPLE),
            when=chance.choice(_WHEN),
            mood=chance.choice(_MOODS),
            deed=_pick(chance, _DEEDS),
            deed2=_pick(chance, _DEEDS),
            thing=_pick(chance, _THINGS),
            other=_pick(chance, _THINGS),
            word=_pick(chance, rare),
            word2=_pick(chance, rare),
            end=chance.choice(_ENDS),
            number=chance.randrange(100_000),
        )


def _made(chance: random.Random) -> Iterator[str]:
    words = _words_of(English)
    # As in real chat, most words are rare, and those are long: few messages have the same three of them.
    words += dict.fromkeys(chance.choice(words) + chance.choice(words) for _ in range(RARE_WORDS))
    while True:
        yield " ".join(_pick(chance, words) for _ in range(chance.randint(3, 30)))


def _words_of(provider: Any) -> list[str]:
    return list(dict.fromkeys(str(word) for word in provider.word_list))


def _pick(chance: random.Random, words: Sequence[str]) -> str:
    """The nth word about n times as seldom as the first."""
    return words[min(int(len(words) ** chance.random()) - 1, len(words) - 1)]
