"""Sealing: from a tree and its header to a signed document that another implementation has verified."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from kanta_gateway.errors import UntrustedError
from kanta_gateway.model import Sha256Hex, SignedDocument
from kanta_gateway.signing import cda, xmldsig
from kanta_gateway.signing.markup import parse
from kanta_gateway.signing.xhtml import render

if TYPE_CHECKING:
    from datetime import datetime

    from kanta_gateway.model import Header, Tree
    from kanta_gateway.signing.display import Display
    from kanta_gateway.signing.keys import Signer
    from kanta_gateway.signing.profile import Profile


class Sealer:
    """Seals documents with one key; may be used from several threads at once.

    Args:
        profile: fixed values of the envelope.
        display: words of the display form.
        signer: the key.
    """

    def __init__(self, profile: Profile, display: Display, signer: Signer) -> None:
        self._profile = profile
        self._signer = signer
        self.display = display
        kind = profile.codes["signatureDescription"]
        self._kind = xmldsig.Description(kind, profile.names[kind.system])

    @property
    def signer(self) -> Signer:
        """The organisation's key, for what else it signs."""
        return self._signer

    @property
    def algorithm(self) -> str:
        """Of the signature."""
        return self._signer.algorithm

    def seal(self, tree: Tree, header: Header, json: bytes, now: datetime) -> SignedDocument:
        """Render, build, sign and verify one document.

        Args:
            tree: the document tree.
            header: what its header says.
            json: the structured form of the same tree.
            now: moment of signing.

        Raises:
            UntrustedError: the independent verifier does not accept the finished bytes.
        """
        body = cda.body(header.oid, render(tree, header, self.display), json)
        signature = xmldsig.sign(header.oid, body, now, self._signer, self._kind)
        xml = cda.build(header, self._profile, body, signature)
        self._verify(xml)
        return SignedDocument(header, xml, Sha256Hex(hashlib.sha256(xml).hexdigest()))

    def _verify(self, xml: bytes) -> None:
        root = parse(xml)
        verified = xmldsig.verify(root) if root is not None else None
        if verified is None or verified.findings or verified.certificate_der != self._signer.certificate_der:
            raise UntrustedError(
                "python-xmlsec does not accept a signature that was just made; nothing was stored. "
                "Check that signing key and certificate belong together, then the installed xmlsec.",
                findings=verified.findings if verified else (),
            )
