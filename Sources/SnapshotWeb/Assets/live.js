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
