/// What a page does by itself where scripts run; everything is there without them.
enum Script {
    /// Shows times in the reader's time zone, and fetches the page anew while somebody looks at it.
    static let page: HTML = #"""
        'use strict';
        (() => {
          const every = Number(document.body.dataset.refresh) * 1000;
          const news = document.querySelector('.news');
          const localize = () => {
            for (const time of document.querySelectorAll('time')) {
              const date = new Date(time.dateTime);
              if (!isNaN(date)) time.textContent = date.toLocaleString();
            }
          };
          let status = document.title;
          const refresh = async () => {
            try {
              const answer = await fetch(location.pathname, {cache: 'no-store', signal: AbortSignal.timeout(10000)});
              if (!answer.ok) throw new Error(answer.status);
              // Its style is here already, and the policy would not let a second one in.
              const text = (await answer.text()).replace(/<style[^]*?<\/style>/, '');
              const fresh = new DOMParser().parseFromString(text, 'text/html');
              const focused = document.activeElement && document.activeElement.getAttribute('href');
              document.querySelector('main').replaceChildren(...fresh.querySelector('main').childNodes);
              if (focused) document.querySelector(`main a[href="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
              document.querySelector('link[rel=icon]').href = fresh.querySelector('link[rel=icon]').href;
              document.title = fresh.title;
              localize();
              news.textContent = fresh.title === status ? '' : fresh.title;
              status = fresh.title;
            } catch {
              news.textContent = 'No answer since ' + last.toLocaleTimeString() + '. What is shown here is from then.';
              return;
            }
            last = new Date();
          };
          let last = new Date();
          localize();
          if (!every) return;
          setInterval(() => { if (!document.hidden) refresh(); }, every);
          document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
        })();
        """#

    /// Keeps the player at the live stream: starts it anew when it fails or stands still.
    static let live: HTML = #"""
        'use strict';
        (() => {
          const video = document.querySelector('video');
          const note = document.querySelector('#note');
          const source = video.getAttribute('src');
          if (!video.canPlayType('application/vnd.apple.mpegurl')) {
            note.textContent = 'This browser does not play live streams by itself. Open the address of the stream in a player such as VLC.';
            return;
          }
          let seen = 0, still = 0;
          const again = () => { still = 0; video.src = source; video.play().catch(() => {}); };
          video.addEventListener('error', () => {
            note.textContent = video.error.code === 3
              ? 'This browser cannot decode the stream. If it is H.265, STREAM_SOURCE=sub is usually H.264.'
              : 'No stream at the moment. It is tried again every few seconds.';
            setTimeout(again, 4000);
          });
          video.addEventListener('playing', () => { note.textContent = ''; });
          setInterval(() => {
            still = video.paused || video.error || video.currentTime !== seen ? 0 : still + 1;
            seen = video.currentTime;
            if (still >= 4) again();
          }, 3000);
        })();
        """#
}
