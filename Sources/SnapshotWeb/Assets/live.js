(() => {
  const video = document.querySelector('video');
  const [state, behind, note] = ['state', 'delay', 'note'].map(id => document.getElementById(id));
  const list = new URL(video.dataset.source, location);
  // fetch refuses an address with a login in it; the browser sends the login of the page's own address anyway.
  list.username = list.password = '';
  const showState = (word, text = '') => {
    state.textContent = word;
    state.className = word === 'Live' ? 'on' : '';
    if (note.textContent !== text) note.textContent = text;
  };

  // Without Media Source, as on older iPhones, the browser plays the list by itself or not at all.
  const playNatively = () => {
    let seen = 0, still = 0;
    const again = () => { still = 0; video.src = list; video.play().catch(() => {}); };
    video.addEventListener('error', () => {
      showState('No picture', 'No stream at the moment. It is tried again every few seconds.');
      setTimeout(again, 4000);
    });
    video.addEventListener('playing', () => showState('Live'));
    video.addEventListener('pause', () => showState('Paused'));
    setInterval(() => {
      still = video.paused || video.error || video.currentTime !== seen ? 0 : still + 1;
      seen = video.currentTime;
      if (still >= 4) again();
    }, 3000);
    again();
  };

  const get = async name => {
    const address = name ? new URL(name, list) : list;
    const answer = await fetch(address, {cache: 'no-cache', signal: AbortSignal.timeout(10000)});
    if (!answer.ok) throw new Error(answer.status);
    return answer;
  };

  const parse = text => {
    const segments = [];
    let number = 0, target = 4, map = null;
    for (const line of text.split('\n')) {
      const value = tag => line.startsWith(tag) ? line.slice(tag.length) : null;
      if (value('#EXT-X-MEDIA-SEQUENCE:')) number = Number(value('#EXT-X-MEDIA-SEQUENCE:'));
      else if (value('#EXT-X-TARGETDURATION:')) target = Number(value('#EXT-X-TARGETDURATION:'));
      else if (value('#EXT-X-MAP:URI="')) map = value('#EXT-X-MAP:URI="').split('"')[0];
      else if (line && !line.startsWith('#')) segments.push({name: line, map, number: number++});
    }
    return {segments: segments.filter(segment => segment.map), longest: Math.min(Math.max(target, 1), 60)};
  };

  // The playlist's target duration in seconds, from which all time limits follow.
  let target = 4;
  const kept = () => 15 * target, furthest = () => 5 * target, silence = () => 3 * target + 3;

  let source = null, buffer = null, map = null, facts = null, newest = null, arrived = performance.now();
  // `clock`: server time minus performance.now(), in ms. `placed`: each segment's end in the buffer and its Last-Modified.
  let clock = null, placed = [];

  const end = () => buffer && buffer.buffered.length ? buffer.buffered.end(buffer.buffered.length - 1) : 0;

  const change = operation => new Promise((done, failed) => {
    buffer.addEventListener('updateend', done, {once: true});
    buffer.addEventListener('error', () => failed(new Error('refused')), {once: true});
    operation();
  });

  const begin = async type => {
    source = new MediaSource();
    const opened = new Promise(done => source.addEventListener('sourceopen', done, {once: true}));
    const address = URL.createObjectURL(source);
    video.src = address;
    await opened;
    URL.revokeObjectURL(address);
    source.duration = Infinity;
    buffer = source.addSourceBuffer(type);
    placed = [];
    video.play().catch(() => {});
  };

  const initialise = async name => {
    const bytes = await (await get(name)).arrayBuffer();
    const next = mp4.describe(bytes);
    if (!MediaSource.isTypeSupported(next.type)) throw Object.assign(new Error(next.type), {undecodable: true});
    if (!buffer || facts.type !== next.type) await begin(next.type);
    facts = next;
    await change(() => buffer.appendBuffer(bytes));
    map = name;
  };

  // Each segment is placed behind the one before, whatever its own time: that jumps with the camera's clock.
  const append = async segment => {
    if (segment.map !== map) await initialise(segment.map);
    const answer = await get(segment.name);
    const bytes = await answer.arrayBuffer();
    const time = mp4.begin(bytes, facts.video), from = end();
    if (!from || Math.abs(time + buffer.timestampOffset - from) > 0.3) buffer.timestampOffset = from - time;
    await change(() => buffer.appendBuffer(bytes));
    placed.push({to: end(), written: Date.parse(answer.headers.get('Last-Modified'))});
    newest = segment.number;
    arrived = performance.now();
    if (end() > kept()) await change(() => buffer.remove(0, end() - kept()));
    placed = placed.filter(one => one.to > end() - kept());
  };

  // The Date field has whole seconds, rounded down, so the largest of several offsets is the closest.
  const setClock = offset => { clock = Math.abs(offset - clock) > 2000 ? offset : Math.max(offset, clock); };

  const delay = () => {
    const here = placed.find(one => one.to >= video.currentTime);
    if (!here || !here.written || clock === null) return null;
    return Math.max(0, (clock + performance.now() - here.written - 500) / 1000 + here.to - video.currentTime);
  };

  const toLive = () => { if (buffer && end()) video.currentTime = Math.max(0, end() - 1.5 * target); };

  // Skips gaps, in which a player would wait for ever, and returns to the live edge when playback has fallen behind.
  const keepUp = () => {
    if (!buffer || video.paused || video.seeking) return;
    const ranges = video.buffered, now = video.currentTime;
    if (end() - now > furthest()) return toLive();
    for (let i = 0; i < ranges.length; i++) {
      if (ranges.start(i) <= now && now < ranges.end(i) - 0.1) return;
      if (ranges.start(i) > now) { video.currentTime = ranges.start(i) + 0.01; return; }
    }
  };

  const show = () => {
    const silent = (performance.now() - arrived) / 1000;
    const seconds = delay();
    behind.textContent = seconds === null ? '' : `${Math.round(seconds)} s behind`;
    if (video.paused && buffer) return showState('Paused');
    if (silent > silence()) {
      return showState('No picture', 'No stream at the moment. It is tried again every few seconds.');
    }
    if (buffer && video.readyState > 2) showState('Live');
  };

  const reset = () => { source = buffer = map = facts = newest = null; };

  const step = async () => {
    let pause = 1000;
    try {
      if (video.error) reset();
      const answer = await get();
      const date = Date.parse(answer.headers.get('Date'));
      if (date) setClock(date - performance.now());
      const {segments, longest} = parse(await answer.text());
      target = longest;
      pause = Math.min(Math.max(target * 250, 500), 2000);
      const last = segments.at(-1);
      const isLongPaused = video.paused && buffer && end() - video.currentTime > furthest();
      if (last && !isLongPaused) {
        const isBehind = newest === null || newest > last.number || last.number - newest > 3;
        for (const one of isBehind ? segments.slice(-2) : segments.filter(one => one.number > newest)) await append(one);
      }
      show();
    } catch (error) {
      if (error.undecodable) {
        const why = 'This browser cannot decode the stream. If it is H.265, STREAM_SOURCE=sub is usually H.264.';
        showState('No picture', why);
        pause = 10000;
      } else {
        // A failed request is repeated. A media source that refused data is replaced.
        if (video.error || error.message === 'refused' || error.name === 'InvalidStateError') reset();
        show();
        pause = 3000;
      }
    }
    setTimeout(step, pause);
  };

  if (!window.MediaSource) return playNatively();
  video.addEventListener('play', () => { if (end() - video.currentTime > furthest() / 2) toLive(); });
  setInterval(() => { keepUp(); if (buffer) show(); }, 1000);
  step();
})();
