/** @type {AudioContext | undefined} */
let audio;

/** Two soft notes, made here: no file to fetch. Browsers let it sound after the first click on the page. */
export function ring() {
  try {
    audio ??= new AudioContext();
    const { currentTime: now, destination } = audio;
    for (const [index, pitch] of [659.3, 880].entries()) {
      const start = now + index * 0.12;
      const note = audio.createOscillator();
      const volume = audio.createGain();
      note.type = "sine";
      note.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, start);
      volume.gain.exponentialRampToValueAtTime(0.12, start + 0.015);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.35);
      note.connect(volume).connect(destination);
      note.start(start);
      note.stop(start + 0.4);
    }
  } catch {} // no sound card, or the browser forbids it
}
