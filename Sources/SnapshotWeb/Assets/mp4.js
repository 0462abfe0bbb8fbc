'use strict';
// What the player has to know of fragmented MP4 before a browser's Media Source takes it.
const mp4 = (() => {
  const text = (view, at) => String.fromCharCode(...[0, 1, 2, 3].map(i => view.getUint8(at + i)));
  const part = (view, at, size = view.byteLength - at) => new DataView(view.buffer, view.byteOffset + at, size);
  const hex = (view, at) => view.getUint8(at).toString(16).padStart(2, '0');

  // The boxes that follow each other in `view`, each as its type and its content.
  const boxes = view => {
    const found = [];
    for (let at = 0; at + 8 <= view.byteLength;) {
      const size = view.getUint32(at);
      if (size < 8 || at + size > view.byteLength) break;
      found.push([text(view, at + 4), part(view, at + 8, size - 8)]);
      at += size;
    }
    return found;
  };
  const all = (view, type) => boxes(view).filter(box => box[0] === type).map(box => box[1]);
  const first = (view, ...path) => path.reduce((at, type) => at && all(at, type)[0], view);

  const parameters = {
    avc1: config => 'avc1.' + hex(config, 1) + hex(config, 2) + hex(config, 3),
    // Profile with its space, compatibility in reversed order, tier and level, then the constraints without zeros at the end.
    hvc1: config => {
      const profile = config.getUint8(1), level = config.getUint8(12);
      let compatibility = 0;
      for (let i = 0; i < 32; i++) compatibility |= (config.getUint32(2) >>> i & 1) << 31 - i;
      const constraints = [6, 7, 8, 9, 10, 11].map(at => config.getUint8(at));
      while (constraints.at(-1) === 0) constraints.pop();
      return ['hvc1', ['', 'A', 'B', 'C'][profile >> 6] + (profile & 31), (compatibility >>> 0).toString(16),
        (profile & 32 ? 'H' : 'L') + level, ...constraints.map(byte => byte.toString(16))].join('.');
    },
  };

  const codec = entry => {
    const [type, content] = entry;
    if (type === 'mp4a') return 'mp4a.40.2';
    const config = content.byteLength > 78 && first(part(content, 78), {avc1: 'avcC', hvc1: 'hvcC'}[type]);
    return config && parameters[type] ? parameters[type](config) : type;
  };

  return {
    // The media type with all codecs, and the video track's id and time scale.
    describe(bytes) {
      const tracks = all(first(new DataView(bytes), 'moov'), 'trak').map(track => {
        const header = first(track, 'tkhd'), media = first(track, 'mdia', 'mdhd');
        return {
          id: header.getUint32(header.getUint8(0) ? 20 : 12),
          scale: media.getUint32(media.getUint8(0) ? 20 : 12),
          isVideo: text(first(track, 'mdia', 'hdlr'), 8) === 'vide',
          codec: codec(boxes(part(first(track, 'mdia', 'minf', 'stbl', 'stsd'), 8))[0]),
        };
      });
      return {type: `video/mp4; codecs="${tracks.map(track => track.codec).join(', ')}"`,
        video: tracks.find(track => track.isVideo)};
    },
    // The second at which the segment's video begins, by the camera's clock.
    begin(bytes, video) {
      for (const track of all(first(new DataView(bytes), 'moof'), 'traf')) {
        if (first(track, 'tfhd').getUint32(4) !== video.id) continue;
        const time = first(track, 'tfdt');
        return (time.getUint8(0) ? Number(time.getBigUint64(4)) : time.getUint32(4)) / video.scale;
      }
      throw new Error('a segment without video');
    },
  };
})();
