/** What the field can show, and its address: data to begin with, the scenes of the page, and how a state is written. */
const FieldScenes = (() => {
  "use strict";
  const { clamp, short } = Playground;
  const { PI, cos, sin } = Math;
  const NAMES = {
    schedule: { vp: "VP", ve: "VE", cosine: "cosine", "flow-matching": "straight line (flow matching)" },
    sampler: {
      ancestral: "ancestral (DDPM, posterior variance)",
      ddpm: "ancestral (DDPM, σ² = β)",
      "ddpm-last-noise": "DDPM with noise in the last step: a mistake",
      ddim: "DDIM with η",
      euler: "Euler",
      heun: "Heun",
      "dpm-solver": "DPM-Solver++ (2M)",
      annealed: "annealed Langevin, 5 a level",
      langevin: "Langevin without noise levels, 5 a step",
    },
    label: { 0: "all modes", 1: "class 1", 2: "class 2" },
  };
  const TOP = 2.9; // of the stage; it reaches from −2.9 to 2.9 upwards

  // m=x,y,weight,long,short,angle,class; … are modes, l=x,y,x,y,… are lines and s their breadth; a and b are choices.
  const ring = Array.from({ length: 8 }, (_, k) => [cos((k * PI) / 4), sin((k * PI) / 4), k]);
  const half = Array.from({ length: 25 }, (_, k) => (PI * k) / 24);
  const moon = half.map((angle) => [1.5 * cos(angle) - 0.75, 1.5 * sin(angle) - 0.375]);
  const roll = Array.from({ length: 48 }, (_, k) => PI * (1 + (3 * k) / 47)); // angles, and up to a factor radii
  const DATA = {
    "three hills": "m=-1.2,-.4,.5,.58,.27,34,1;1,.9,.3,.47,.31,118,1;.8,-1.2,.2,.32,.24,0,2",
    "two hills, far apart": "m=1.5,1.2,.8,.3,.3,0,1;-1.5,-1.2,.2,.3,.3,0,2",
    "ring of eight": `m=${ring.map(([x, y, k]) => [1.9 * x, 1.9 * y, 0.125, 0.12, 0.12, 0, 1 + (k % 2)]).join(";")}`,
    "two moons": `s=.1&l=${moon.join()};${moon.map(([x, y]) => [-x, -y]).join()}`,
    spiral: `s=.08&l=${roll.map((angle) => [0.183 * angle * cos(angle), 0.183 * angle * sin(angle)]).join()}`,
  };
  const PAIR = DATA["two hills, far apart"], RING = DATA["ring of eight"], HILLS = DATA["three hills"];
  const CLASSES = "m=-1.1,-.9,.25,.5,.35,20,1;-.5,1.1,.25,.45,.35,150,1;1.1,.1,.5,.6,.45,90,2";

  /** The scenes, by the identifier of the heading on the page that tells of them. */
  const SCENES = {
    "see-langevin-get-the-weights-wrong": `${PAIR}&a=ve,langevin,200,0,0,0&b=ve,annealed,200,0,0,0`,
    "the-last-step-s-noise": `${RING}&a=vp,ddpm-last-noise,25,0,0,0&b=vp,ddpm,25,0,0,0`,
    "and-the-spread": "m=0,0,1,1.3,.5,30,1&a=vp,ddim,10,0,0,0&b=vp,ddim,10,1,0,0",
    "guidance-overshoots": `${CLASSES}&a=cosine,ddim,50,0,1,0&b=cosine,ddim,50,0,1,6`,
    "one-step-gives-the-mean": `${HILLS}&a=flow-matching,ddim,1,0,0,0&b=flow-matching,ddim,20,0,0,0`,
    "one-step-under-two-names": `${HILLS}&a=vp,ddim,10,0,0,0&b=vp,euler,10,0,0,0`,
  };

  const numbers = (text) => text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));

  function readChoice(text) {
    const [schedule, sampler, ...rest] = (text || "").split(",");
    const [steps, eta, label, w] = rest.map(Number);
    return {
      schedule: Object.hasOwn(NAMES.schedule, schedule) ? schedule : "vp",
      sampler: Object.hasOwn(NAMES.sampler, sampler) ? sampler : "ddim",
      steps: Math.round(clamp(steps, 1, 200, 20)),
      eta: clamp(eta, 0, 1, 0),
      label: Math.round(clamp(label, 0, 2, 0)),
      w: clamp(w, 0, 8, 0),
    };
  }

  function readMode(text) {
    const [x, y, weight, long, across, angle, label] = numbers(text);
    const at = [clamp(x, -6, 6, 0), clamp(y, -TOP, TOP, 0), clamp(weight, 0.02, 1, 0.5)];
    const shape = [clamp(long, 0.05, 1.5, 0.3), clamp(across, 0.05, 1.5, 0.3), clamp(angle, -360, 360, 0)];
    return Field.mode(...at, ...shape, label === 2 ? 2 : 1);
  }

  function readLine(text) {
    const flat = numbers(text).slice(0, 130).map((value) => clamp(value, -6, 6, 0));
    return Array.from({ length: flat.length >> 1 }, (_, k) => [flat[2 * k], flat[2 * k + 1]]);
  }

  /** The state that an address says, whatever it says: what is out of range comes into it, what is unknown is left. */
  function decode(address) {
    const query = new URLSearchParams(address);
    const parts = (key, most) => (query.get(key) || "").split(";").filter(Boolean).slice(0, most);
    const modes = parts("m", 24).map(readMode), lines = parts("l", 6).map(readLine).filter((line) => line.length > 0);
    return {
      modes: modes.length || lines.length ? modes : decode(HILLS).modes,
      lines: modes.length ? [] : lines,
      breadth: clamp(parseFloat(query.get("s")), 0.05, 0.4, 0.1),
      a: readChoice(query.get("a")),
      b: query.has("b") ? readChoice(query.get("b")) : null,
      seed: Math.round(clamp(parseFloat(query.get("n")), 1, 1e6, 1)),
      forward: query.get("f") === "1",
    };
  }

  function encode({ modes, lines, breadth, a, b, seed, forward }) {
    const mode = (m) => [m.x, m.y, m.weight, m.long, m.short, m.angle, m.label].map((value) => short(value)).join();
    const choice = (c) => [c.schedule, c.sampler, c.steps, short(c.eta), c.label, short(c.w)].join();
    const line = (points) => points.flat().map((value) => short(value, 2)).join();
    const data = lines.length ? `s=${short(breadth)}&l=${lines.map(line).join(";")}` : `m=${modes.map(mode).join(";")}`;
    return `${data}&a=${choice(a)}${b ? `&b=${choice(b)}` : ""}&n=${seed}${forward ? "&f=1" : ""}`;
  }

  /** The data as modes: those of the state, or what its lines are made of, at most 146. */
  function components({ modes, lines, breadth }) {
    const stretches = (line) => line.slice(1).map(([x, y], i) => Math.hypot(x - line[i][0], y - line[i][1]));
    const std = Math.max(breadth, lines.flatMap(stretches).reduce((sum, stretch) => sum + stretch, 0) / 134);
    return lines.length ? lines.flatMap((line, i) => Field.alongLine(line, std, 1 + (i % 2))) : modes;
  }

  return { NAMES, TOP, DATA, SCENES, decode, encode, components };
})();
