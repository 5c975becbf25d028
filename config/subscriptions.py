"""What happens when: every reaction to a fact, in one table. Read this file to know the chain.

Left the topic of an event, right the jobs that it asks for. ``common.events.publish`` writes one
job row per entry in the transaction of the fact.
"""

from common.events import Reaction

SUBSCRIPTIONS: dict[str, list[Reaction]] = {}
