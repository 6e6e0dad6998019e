"""How sure it is, in Chinese: who was heard, what the feeds hide, what the true sum may be."""

from service.model import Alert, Coverage, Estimated
from service.text import facts
from service.text.amounts import listed, percent, usd_zh
from service.text.chinese.nouns import sentence

_METHOD = {"order sizes": "按已公布订单大小推算", "reference venue": "按完整公布的交易所折算"}


def sure(alert: Alert) -> str:
    """What the numbers rest on, and what is missing in them."""
    coverage, estimated = alert.coverage, alert.estimated
    heard = _heard(coverage, told=facts.little_heard(alert) is not None) if coverage else []
    missing = ""
    if coverage and coverage.leaving_out:
        missing = f"{listed(coverage.leaving_out, '和', '、')}只公布一部分"
        missing += "" if estimated else "，实际金额更高"
    elif coverage and alert.at_least:
        missing = "未收到的部分未计入"
    return sentence([*heard, missing, *(_estimate(estimated) if estimated else ())])


def _heard(coverage: Coverage, *, told: bool) -> list[str]:
    """Who was heard; `told` when a warning has said already how little of the hour."""
    live = f"{coverage.venues}家交易所中{coverage.venues_live}家在线"
    if coverage.seconds_share is not None and not told:
        live += f"，该小时已收到{percent(coverage.seconds_share)}"
    late, least = facts.healed(coverage), facts.deaf(coverage)
    if late is not None:
        live += f"（{'该小时的' if told else '其中'}{percent(late)}为事后从交易所历史补录）"
    return [live, f"缺失最多：{least[0]} {percent(least[1])}" if least else ""]


def _estimate(estimated: Estimated) -> list[str]:
    how = "，并".join(_METHOD.get(one, one) for one in estimated.method.split(" and "))
    between = f"估计值90%可信区间{usd_zh(estimated.low)}至{usd_zh(estimated.high)}，{how}"
    unknown = listed(estimated.unknown, "和", "、") if estimated.unknown else ""
    return [between, unknown and f"{unknown}缺失多少未知，故仍为下限"]
