'use strict';
(() => {
  const every = Number(document.body.dataset.refresh) * 1000;
  const news = document.querySelector('.news');
  // The page shows the camera's local time; a tooltip shows the reader's.
  const localise = () => {
    for (const time of document.querySelectorAll('time')) {
      const date = new Date(time.dateTime);
      if (!isNaN(date)) time.title = date.toLocaleString(undefined, {dateStyle: 'medium', timeStyle: 'long'});
    }
  };
  let status = document.title;
  const refresh = async () => {
    try {
      const answer = await fetch(location.pathname, {cache: 'no-store', signal: AbortSignal.timeout(10000)});
      if (!answer.ok) throw new Error(answer.status);
      // The style is loaded already, and the page's policy would refuse a second one.
      const text = (await answer.text()).replace(/<style[^]*?<\/style>/, '');
      const fresh = new DOMParser().parseFromString(text, 'text/html');
      const focused = document.activeElement && document.activeElement.getAttribute('href');
      document.querySelector('main').replaceChildren(...fresh.querySelector('main').childNodes);
      if (focused) document.querySelector(`main a[href="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
      document.querySelector('link[rel=icon]').href = fresh.querySelector('link[rel=icon]').href;
      document.title = fresh.title;
      localise();
      news.textContent = fresh.title === status ? '' : fresh.title;
      status = fresh.title;
    } catch {
      news.textContent = 'No answer since ' + last.toLocaleTimeString() + '. What is shown here is from then.';
      return;
    }
    last = new Date();
  };
  let last = new Date();
  localise();
  if (!every) return;
  setInterval(() => { if (!document.hidden) refresh(); }, every);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
})();
