"""Community of a test's own: whoever coordinates it, whoever facilitates it, and people who belong to it."""

from datetime import timedelta
from uuid import uuid4

from chassis import clock
from tests.browser.site import Site
from tests.harness.client import RetryingClient

NAME = "Cercle des proches"
SIZE = 5  #: who belong to it


class Circle:
    """A community of which no other test knows; members are called Personne N0 and so on."""

    def __init__(self, network: Site) -> None:
        self.id, self.coordinator_id, self.facilitator_id = (str(uuid4()) for _ in range(3))
        self.member_ids = [str(uuid4()) for _ in range(SIZE)]
        client = RetryingClient(lambda: network.client, passing=(404, 409))  #: each service learns of it by itself
        client.put_community(self.id, name=NAME)
        client.put_members(self.id, self.member_ids)
        for member_id, name, role in (
            (self.coordinator_id, "Inès Chartrand", "coordinator"),
            (self.facilitator_id, "Zoé Émond", "facilitator"),
        ):
            client.put_member(member_id, name)
            client.put_role(self.id, member_id, role)
        self._client = client

    @property
    def path(self) -> str:
        """The path of its page."""
        return f"/communities/{self.id}"

    def address(self, number: int) -> str:
        """Return where mail to a member goes."""
        return self._client.address_of(self.member_ids[number])

    def plan_a_meeting(self) -> str:
        """Plan a meeting that nobody is named to lead, and return its path."""
        meeting_id = str(uuid4())
        self._client.put_meeting(meeting_id, self.id, starts_at=clock.now() + timedelta(days=3))
        return f"/meetings/{meeting_id}"
