enum Style {
    static let sheet: HTML = """
        :root{--ground:#f6f6f3;--card:#fff;--ink:#1c2328;--quiet:#566069;--edge:#e2e4df;--faint:#e9ebe6;\
        --camera:#9cc9c4;--store:#2c7a72;--captures:#7fb3ad;--good:#25774a;--warn:#8f5400;--bad:#b02f28;--kept:#c98a1b;\
        --warn-ground:#fdf4e3;--bad-ground:#fcecea;--link:#1f6961}
        @media(prefers-color-scheme:dark){:root{--ground:#12171a;--card:#1b2226;--ink:#e5eaec;--quiet:#a0abb2;\
        --edge:#2a3338;--faint:#2a3338;--camera:#3d716c;--store:#7fcdc4;--captures:#4f8c86;--good:#6cce96;--warn:#e9b863;\
        --bad:#f28d83;--kept:#e0a63c;--warn-ground:#2c2517;--bad-ground:#331e1d;--link:#86d1c8}}
        *{box-sizing:border-box}
        body{margin:0 auto;max-width:60rem;padding:1rem 1rem 3rem;background:var(--ground);color:var(--ink);\
        font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
        p,h1,h2,h3,ul,dl,dd,figure{margin:0;padding:0}
        ul{list-style:none}
        a{color:var(--link);text-underline-offset:.2em}
        a:focus-visible{outline:2px solid var(--link);outline-offset:3px;border-radius:2px}
        code{font:.9em ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
        header{display:flex;justify-content:space-between;align-items:center;flex-wrap:wrap;gap:.25rem 1.5rem;margin-bottom:1.5rem}
        .brand{display:flex;align-items:center;gap:.5rem;color:var(--quiet);font-weight:600;letter-spacing:.01em}
        .brand svg{width:1.35rem;fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}
        nav{display:flex;gap:1.1rem;font-size:.95rem}
        .choice{flex-wrap:wrap;margin-bottom:.8rem}
        nav [aria-current]{color:var(--ink);font-weight:600;text-decoration:none}
        .news:not(:empty){background:var(--warn-ground);color:var(--warn);border-radius:.6rem;padding:.5rem .9rem;margin-bottom:1rem}
        h1{margin-bottom:.6rem;font-size:1.15rem;font-weight:600;color:var(--quiet);overflow-wrap:anywhere}
        h2,h3{font-size:.95rem;font-weight:600}
        section>h2:not(.unseen){font-size:1.15rem;color:var(--quiet);margin:2.5rem 0 .6rem;overflow-wrap:anywhere}
        .unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
        .headline{display:flex;gap:1rem;align-items:center;margin:0 0 1.25rem}
        .sign{flex:none;width:3.2rem;height:3.2rem;fill:none;stroke:var(--ground);stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
        .sign circle{stroke:none}
        .sign.healthy circle{fill:var(--good)}.sign.degraded circle{fill:var(--warn)}.sign.unhealthy circle{fill:var(--bad)}
        .status{font-size:2rem;font-weight:650;line-height:1.15;letter-spacing:-.015em}
        .status.healthy{color:var(--good)}.status.degraded{color:var(--warn)}.status.unhealthy{color:var(--bad)}
        .last{color:var(--quiet)}
        .last strong{color:var(--ink);font-weight:600}
        .reasons{display:grid;gap:.5rem;margin-bottom:1rem}
        .reasons li{border-radius:.6rem;padding:.6rem .9rem;background:var(--warn-ground);border-left:4px solid var(--warn)}
        .reasons li.unhealthy{background:var(--bad-ground);border-color:var(--bad)}
        .card{background:var(--card);border:1px solid var(--edge);border-radius:.8rem;padding:1rem 1.1rem;margin-bottom:1rem}
        figcaption{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;margin-bottom:.75rem}
        figcaption p,.axis,.legend,.facts span,.end{color:var(--quiet);font-size:.85rem}
        figure>svg{display:block;width:100%}
        .strip{height:5.5rem}
        .hours{height:6rem}
        .latency{height:2.5rem;margin-top:.5rem;border-top:1px solid var(--faint)}
        .axis{display:flex;justify-content:space-between;margin-top:.35rem}
        .legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin-top:.5rem}
        .legend li{display:flex;align-items:center;gap:.4rem}
        .key{width:.7rem;height:.7rem;flex:none}
        .camera{fill:var(--camera)}.store{fill:var(--store)}.captures{fill:var(--captures)}.failed{fill:var(--bad)}
        .kept{fill:var(--kept)}.gap{fill:var(--faint)}.hit{fill:transparent}
        .line{fill:none;stroke:var(--store);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round;stroke-linecap:round}
        g:hover>.hit{fill:var(--faint)}
        .facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(15rem,46%),1fr));gap:.75rem}
        .facts .card{margin:0;padding:.8rem 1rem}
        dt{color:var(--quiet);font-size:.85rem}
        dd strong{display:block;font-size:1.2rem;font-weight:600;line-height:1.3;overflow-wrap:anywhere}
        dd span{display:block;overflow-wrap:anywhere}
        .meter{display:block;width:100%;height:.35rem;margin-top:.35rem;border-radius:.2rem}
        .overview{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(14rem,100%),1fr));gap:.75rem}
        .overview .card{margin:0;padding:0}
        .overview a{display:flex;align-items:center;gap:.75rem;padding:.75rem 1rem;color:inherit;text-decoration:none}
        .overview strong{display:block;overflow-wrap:anywhere}
        .overview .sign{width:1.9rem;height:1.9rem}
        .end{margin-top:1.75rem}
        .view img,.view video{display:block;width:100%;max-height:80vh;object-fit:contain;background:#000;border-radius:.6rem}
        .view p{margin-top:.75rem;color:var(--quiet)}
        .files{padding-block:.4rem}
        .files li{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;padding:.55rem 0;border-top:1px solid var(--faint)}
        .files li:first-child{border:0}
        .files a{overflow-wrap:anywhere}
        .files span{color:var(--quiet);font-size:.9rem}
        @media(max-width:30rem){.status{font-size:1.7rem}.card{padding:.85rem .9rem}}
        """
}
