// The style sheet: wide and narrow, light and dark, and print.

enum PageStyle {
  static let text = colours + frame + story + tree + lanes + narrow + print

  /// Lines of a program's source, for pages of programs.
  static let code = #"""

    pre.code{margin:8px 0;padding:8px 10px;overflow-x:auto;font:12px/1.5 var(--mono);
    color:var(--soft);background:var(--tint);border-radius:5px}
    pre.code b{color:var(--ink);font-weight:600}
    span.code{display:block;font:11.5px/1.4 var(--mono);color:var(--soft);overflow-wrap:anywhere;
    padding-left:calc(var(--d,0)*12px)}
    """#

  /// Colour never carries meaning alone: there is always a shape, a pattern or a word as well.
  private static let colours = #"""

    :root{--bg:#f7f7f5;--card:#fff;--ink:#1d2126;--soft:#59616b;--line:#dcdfe3;--tint:#f0f1f3;
    --link:#1c5db8;--now:#e4edfa;--bad:#ad1f18;--badbg:#fdecea;--warn:#845300;--warnbg:#fff3d9;
    --off:#6a717a;--offbg:#e9eaec;--ch:#fff0b8;--sec:#14796d;--mask:#7b4bb3;--wait:#a86200;
    --mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    @media screen and (prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1c2026;--ink:#e4e7eb;
    --soft:#a0a8b2;--line:#343b44;--tint:#252a31;--link:#82b1ff;--now:#213350;--bad:#ff8a80;
    --badbg:#3a1d1c;--warn:#f0bb5b;--warnbg:#37290f;--off:#9aa2ac;--offbg:#2b3038;--ch:#4d4115;
    --sec:#4cc2b3;--mask:#b99af0;--wait:#e0a043}}
    """#

  private static let frame = #"""

    *{box-sizing:border-box}
    body{margin:0 auto;max-width:1480px;padding:28px 32px 48px;background:var(--bg);
    color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
    h1{font-size:26px;line-height:1.2;margin:2px 0 8px;letter-spacing:-.01em;
    overflow-wrap:anywhere}
    h1 small{font:13px var(--mono);color:var(--soft);font-weight:400}
    h2{font-size:15px;margin:0 0 8px}
    h3{font-size:13px;margin:0 0 2px}
    code{font:.9em/1.45 var(--mono);overflow-wrap:anywhere}
    a{color:inherit;text-decoration:none}
    p{margin:0}
    .eyebrow{color:var(--soft);font-size:13px}
    .scenario,.omission{max-width:110ch;color:var(--soft)}
    .omission b{color:var(--ink);font-weight:600}
    .top{display:grid;grid-template-columns:minmax(0,9fr) minmax(0,11fr);gap:32px;
    margin-top:16px;align-items:start}
    .verdict{padding:14px 18px;background:var(--card);border:1px solid var(--line);
    border-left:5px solid var(--bad);border-radius:6px}
    .verdict.fine{border-left-color:var(--sec)}
    .verdict .id b{color:var(--bad)}
    .verdict .what{font-size:19px;line-height:1.35;margin:2px 0 6px;max-width:70ch}
    .verdict ul{margin:0 0 8px;padding-left:18px;color:var(--soft)}
    dl{margin:0;display:grid;grid-template-columns:max-content minmax(0,1fr);gap:3px 14px;
    font-size:14px}
    dt{color:var(--soft)}
    dd{margin:0;max-width:90ch}
    footer{margin-top:28px;padding-top:16px;border-top:1px solid var(--line)}
    :focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:3px}
    """#

  private static let story = #"""

    .story ol{list-style:none;margin:0;padding:0;border-left:2px solid var(--line)}
    .story li{padding:3px 0 3px 46px;position:relative}
    .story .no{position:absolute;left:0;width:38px;text-align:right;color:var(--soft);
    font:13px/1.7 var(--mono)}
    .story a{display:block;border-radius:4px}
    .story a:hover b{text-decoration:underline}
    .story a i,.t i,.do i{color:var(--soft);font-style:normal}
    .story li p{max-width:95ch}
    .story li>p:not(.aside):not(.so){padding-left:16px}
    .story li>p:not(.aside):not(.so)::before{content:"→";margin-left:-16px;
    display:inline-block;width:16px;color:var(--soft)}
    .aside{color:var(--warn)}
    .so{color:var(--bad);font-weight:600}
    main{margin-top:26px;background:var(--card);border:1px solid var(--line);border-radius:8px}
    nav{display:none;gap:8px;align-items:center;padding:10px 14px;
    border-bottom:1px solid var(--line);position:sticky;top:0;background:var(--card);z-index:5;
    border-radius:8px 8px 0 0}
    .js nav{display:flex}
    nav input{flex:1;min-width:60px;accent-color:var(--link)}
    nav output{min-width:11ch;text-align:right;font-variant-numeric:tabular-nums;font-weight:600}
    button{font:16px/1 system-ui,sans-serif;width:38px;height:32px;border:1px solid var(--line);
    border-radius:5px;background:var(--tint);color:var(--ink);cursor:pointer}
    button:hover{border-color:var(--soft)}
    button:disabled{color:var(--soft);opacity:.5;cursor:default}
    .view{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,43%)}
    .side{grid-column:2;grid-row:1;padding:14px 18px;border-left:1px solid var(--line)}
    .steps{grid-column:1;grid-row:1;padding:14px 0 14px 14px}
    .js .side,.js .steps{max-height:max(460px,calc(100vh - 56px));overflow:auto;
    overscroll-behavior:auto}
    .js .steps{position:relative}
    .by{color:var(--soft);font-size:14px}
    .by b{color:var(--ink)}
    .src{display:block;font:12px var(--mono);color:var(--soft);overflow-wrap:anywhere}
    .do{font-size:16px;margin:1px 0 4px}
    .changes{margin:0;padding-left:18px;font-size:14px;color:var(--soft)}
    .changes .key{color:var(--ink)}
    .changes .key::marker{content:"⚠ "}
    .wrong{color:var(--ink)}
    #now .wrong{margin-top:8px;padding:8px 12px;background:var(--badbg);border-radius:5px}
    #now .wrong b{color:var(--bad)}
    .js #now{min-height:128px}
    .state{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:10px 18px;
    margin-top:12px;font-size:13.5px}
    .state ul,.legend{list-style:none;margin:0;padding:0}
    .state small{color:var(--soft)}
    .state em{font-style:normal;color:var(--bad)}
    .state .none{color:var(--soft)}
    .state .ch{background:var(--ch);box-shadow:-4px 0 var(--ch),4px 0 var(--ch)}
    .state .ch::before{content:"▸ "}
    .legend{display:flex;flex-wrap:wrap;gap:2px 16px;margin-top:16px;padding-top:10px;
    border-top:1px solid var(--line);font-size:12.5px;color:var(--soft)}
    .legend s{display:inline-block;width:16px;height:11px;border:1.5px solid;border-radius:2px;
    text-decoration:none;vertical-align:-1px}
    .legend u{display:inline-block;vertical-align:-1px;height:12px}
    .k-ch{color:var(--warn)}
    .k-lost{border-style:dashed!important;color:var(--warn);background:var(--warnbg)}
    .k-own{border-style:dotted!important;color:var(--soft)}
    .k-freed{color:var(--off);background:repeating-linear-gradient(45deg,var(--offbg) 0 3px,
    transparent 3px 6px)}
    """#

  private static let tree = #"""

    .tree{overflow-x:auto;margin-top:10px}
    #tree{display:block;width:100%;max-width:var(--w);min-width:calc(var(--w)*.7);height:auto;
    overflow:visible}
    #tree text{font:12px var(--mono);fill:var(--ink)}
    #tree .bx{fill:var(--card);stroke:var(--soft);stroke-width:1.2}
    #tree .nm{font-weight:700;font-size:13px}
    #tree .rf{text-anchor:end;font-size:11px;fill:var(--soft)}
    #tree .st{font:11px system-ui,sans-serif;fill:var(--soft)}
    #tree .ix{fill:var(--soft);font-size:11px}
    #tree .en rect{fill:var(--tint)}
    #tree .en path{fill:var(--warn)}
    #tree .invalid text{fill:var(--soft)}
    #tree .table text:last-child{font-weight:700}
    #tree .locked rect{fill:var(--warnbg)}
    #tree .ch rect{fill:var(--ch)}
    #tree text.ch{fill:var(--warn);font-weight:700}
    #tree .e{fill:none;stroke:var(--soft);stroke-width:1.6}
    #tree .e.off{stroke-dasharray:5 3;stroke:var(--warn)}
    #tree .e.dead{stroke-dasharray:2 3;stroke:var(--bad)}
    #tree .tip{fill:var(--soft)}
    #tree .e.ch{stroke-width:2.8;stroke:var(--warn)}
    #tree .tip.ch{fill:var(--warn)}
    #tree .own .bx{stroke-dasharray:2 3}
    #tree .lost .bx{stroke-dasharray:6 4;stroke:var(--warn);fill:var(--warnbg)}
    #tree .lost .st{fill:var(--warn)}
    #tree .lost .en:not(.ch) rect{fill:none}
    #tree .freed .bx,#tree .slab .bx{fill:var(--offbg);stroke:var(--off);stroke-dasharray:1 3}
    #tree .freed .en:not(.ch) rect,#tree .slab .en:not(.ch) rect{fill:none}
    #tree .freed text,#tree .slab text{fill:var(--off)}
    #tree .freed .nm,#tree .freed .en text:last-child{text-decoration:line-through}
    #tree .bad .bx{stroke:var(--bad);stroke-width:2.6;fill:var(--badbg)}
    #tree .bad .st{fill:var(--bad);font-weight:700}
    """#

  private static let lanes = #"""

    .row{display:grid;grid-template-columns:34px var(--cols);position:relative;
    font-size:13.5px;line-height:1.4}
    .lanes{padding-right:10px}
    .row .no{grid-column:1;grid-row:1;text-align:right;padding:3px 8px 3px 0;color:var(--soft);
    font:12px/1.6 var(--mono)}
    .head{position:sticky;top:-14px;background:var(--card);z-index:3;padding:8px 0 6px;
    border-bottom:1px solid var(--line)}
    .head b{padding-left:10px;line-height:1.25;overflow-wrap:anywhere}
    .head small{display:block;font-weight:400;color:var(--soft);font-size:11.5px}
    .l{grid-row:1;position:relative;margin:0 3px;min-height:5px;font-style:normal;
    padding-left:calc(8px + var(--b)*7px)}
    .l.o{background:var(--tint)}
    .l.ob{border-radius:6px 6px 0 0}
    .l.oe{border-radius:0 0 6px 6px}
    .l.ob.oe{border-radius:6px}
    .l small{display:block;color:var(--soft);font-size:12px;line-height:1.3;padding:3px 4px 3px 0}
    .l u{position:absolute;top:0;bottom:0;left:calc(4px + var(--s)*7px)}
    u.r,u.k,u.g{width:5px;text-decoration:none}
    u.r{background:var(--sec)}
    u.k{background:repeating-linear-gradient(var(--mask) 0 3px,transparent 3px 5px);
    outline:1px solid var(--mask);outline-offset:-1px}
    u.g{border:1px solid var(--wait);border-width:0 1.5px}
    u.g.b{border-top-width:1.5px}u.g.f{border-bottom-width:1.5px}
    u.b{top:5px;border-radius:3px 3px 0 0}u.f{bottom:5px;border-radius:0 0 3px 3px}
    .t{grid-column:var(--c);grid-row:1;position:relative;min-width:0;overflow-wrap:anywhere;
    padding:3px 8px 3px calc(12px + var(--b)*7px)}
    .t .who{display:none}
    .t .op{display:block}
    .t em{display:block;font-style:normal;color:var(--soft);margin-left:calc(var(--d)*10px)}
    .t .d{display:block}
    .t .d[style]{margin-left:calc(var(--d)*10px - 6px);padding-left:6px;
    border-left:1.5px solid var(--line)}
    .step:hover .no{color:var(--ink);text-decoration:underline}
    .key .no,.wrong .no{color:var(--ink);font-weight:700}
    .wrong .no{color:var(--bad)}
    .wrong .no::before{content:"✗"}
    .cur::before{content:"";position:absolute;inset:0 -4px 0 0;background:var(--now);
    border-radius:4px}
    .cur .t{background:var(--card);box-shadow:0 0 0 2px var(--link);border-radius:5px;z-index:1}
    .cur .no{position:relative;color:var(--ink);font-weight:700}
    .later .t{color:var(--soft)}
    .note .t{grid-column:2/-1;color:var(--warn);padding:4px 8px}
    .note.end .t{color:var(--bad);font-weight:700}
    .note .t{z-index:1}
    .note .t span{background:var(--card);padding:0 4px;border-radius:3px}
    """#

  private static let narrow = #"""

    @media(max-width:900px){body{padding:18px 14px 40px}h1{font-size:21px}
    .verdict .what{font-size:17px}
    .top{display:block}.story{margin-top:22px}
    dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:8px}
    .story .no{width:30px}.story li{padding-left:38px}
    .view{display:block}.side{border:0;padding:12px}.steps{border-top:1px solid var(--line);
    padding:14px 8px}
    .js .side,.js .steps{max-height:none;overflow:visible}
    nav{padding:8px}nav button{width:40px;height:40px}
    nav #first,nav #end{display:none}
    nav output{min-width:0;font-size:13px}

    .row{grid-template-columns:32px repeat(var(--n),calc(9px + var(--b)*7px)) minmax(0,1fr)}
    .lanes{padding-right:0}
    .head{display:none}
    .t{grid-column:-2/-1;padding-left:8px}
    .t .who{display:inline;color:var(--soft);font-size:12px}
    .l{margin:0 1px;padding:0}.l small{display:none}
    .l u{left:calc(2px + var(--s)*7px)}
    .l.a::after{content:"";position:absolute;right:-4px;top:9px;width:8px;height:8px;
    border-radius:50%;background:var(--ink);z-index:1}
    .note .t{grid-column:-2/-1}}
    """#

  private static let print = #"""

    @media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb}
    body{max-width:none;padding:0;font-size:11px}nav,.js nav{display:none}
    dl,.t .who,.t .op,.story .no{font-size:10px}.verdict .what{font-size:15px}
    main{border:0}.view{display:block}.side{border:0;padding:0;break-inside:avoid}
    .js .side,.js .steps{max-height:none;overflow:visible}.steps{padding:14px 0}
    .head{position:static}.row{break-inside:avoid;font-size:10px}
    .cur::before{background:none}.cur .t{box-shadow:none}.later .t{color:inherit}
    *{print-color-adjust:exact;-webkit-print-color-adjust:exact}}

    """#
}
