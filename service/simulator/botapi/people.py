"""Who there is: users, and what they are in a chat. Records and how the messenger tells them."""

from typing import Literal

from service.model import Record

Status = Literal["creator", "administrator", "member", "left", "kicked"]
ADMINS: tuple[Status, ...] = ("creator", "administrator")
PRESENT: tuple[Status, ...] = (*ADMINS, "member")
#: What an admin may do; the messenger tells every one of them, and its clients ask for them.
_RIGHTS = (
    "can_be_edited",
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
)
_CHANNEL_RIGHTS = ("can_post_messages", "can_edit_messages")


class User(Record, frozen=True, kw_only=True):
    """A person or a bot."""

    id: int
    name: str = "Ann"
    language: str = "en"
    """IETF tag of the person's app; empty when the app does not tell."""
    username: str = ""
    bot: bool = False

    def told(self) -> dict[str, object]:
        """As a User of the API."""
        body: dict[str, object] = {"id": self.id, "is_bot": self.bot, "first_name": self.name}
        if self.username:
            body["username"] = self.username
        if self.language and not self.bot:
            body["language_code"] = self.language
        return body


#: Who stands as the sender where an admin of a group speaks in the group's name.
ANONYMOUS = User(id=1_087_968_824, name="Group", username="GroupAnonymousBot", bot=True)


class Member(Record, frozen=True, kw_only=True):
    """A user in a chat."""

    user: User
    status: Status
    anonymous: bool = False
    """An admin who speaks in the group's name."""

    def told(self, *, channel: bool = False) -> dict[str, object]:
        """As a ChatMember of the API."""
        body: dict[str, object] = {"user": self.user.told(), "status": self.status}
        if self.status in ADMINS:
            body["is_anonymous"] = self.anonymous
        if self.status == "administrator":
            rights = _RIGHTS + (_CHANNEL_RIGHTS if channel else ())
            body |= dict.fromkeys(rights, True)
        if self.status == "kicked":
            body["until_date"] = 0
        return body
