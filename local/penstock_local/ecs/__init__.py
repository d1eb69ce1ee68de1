"""Amazon ECS tasks as real processes, in the place of containers.

ministack keeps clusters, task definitions and services; running a task, for which it needs Docker,
is replaced. A task definition names the local command by a tag.
"""

from penstock_local.ecs.service import install

__all__ = ["install"]
