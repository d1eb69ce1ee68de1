"""Who makes a request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Caller:
    """The principal of a request, by its ARN and its unique id (`aws:userid`)."""

    arn: str
    user_id: str

    @property
    def is_root(self) -> bool:
        """Whether it is the account itself; here that is who sits at the machine."""
        return self.arn.endswith(":root")

    @property
    def identity(self) -> str:
        """The user or role behind the request; sessions of one role share what they do."""
        head, marker, rest = self.arn.partition(":assumed-role/")
        return f"{head}{marker}{rest.partition('/')[0]}" if marker else self.arn

    @property
    def database_user(self) -> str:
        """The database user that Redshift derives from the identity."""
        if self.is_root:
            return "IAM:RootIdentity"
        name = self.identity.rsplit("/", 1)[-1]
        return f"IAMR:{name}" if ":assumed-role/" in self.arn else f"IAM:{name}"

    def may_see(self, owner: Caller) -> bool:
        """Statements belong to the identity that ran them; the account sees all."""
        return self.is_root or self.identity == owner.identity
