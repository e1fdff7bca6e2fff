// 3D view of one scene (legocryst/ui/scene.py). The viewer lives on its element, so that a rerun of the page changes
// the drawing and keeps the camera, unless `data.camera`, the name of what is looked at, has changed.

const WAYS = {
  "Ball and stick": { radius: 0.3, bond: 0.12 },
  "Sticks": { radius: 0.13, bond: 0.13 },
  "Space filling": { radius: 1.5, bond: 0.12 },
}

function load(address) {
  if (window.$3Dmol) return Promise.resolve(window.$3Dmol)
  if (!window.legocrystViewer) {
    window.legocrystViewer = new Promise((resolve, reject) => {
      const script = document.createElement("script")
      script.src = address
      script.onload = () => resolve(window.$3Dmol)
      script.onerror = () => reject(new Error(`the viewer's script ${address} was not found on this server`))
      document.head.appendChild(script)
    })
  }
  return window.legocrystViewer
}

// Drawing keeps the browser from everything else: what the page has to show and to answer comes first.
const breath = (wait = 0) => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, wait)))
const RUNNING = "[data-test-script-state=running]" // Streamlit's mark while the rest of a page still arrives
async function settled() {
  for (let k = 0; k < 20 && document.querySelector(RUNNING); k++) await breath(30)
  await breath()
}

const point = ([x, y, z]) => ({ x, y, z })

function model(scene) {
  const atoms = scene.positions.map((position, i) => ({
    ...point(position), elem: scene.symbols[i], index: i, serial: i, bonds: [], bondOrder: [], properties: {},
  }))
  for (const [i, j] of scene.bonds) {
    atoms[i].bonds.push(j)
    atoms[i].bondOrder.push(1)
    atoms[j].bonds.push(i)
    atoms[j].bondOrder.push(1)
  }
  return atoms
}

// Nothing is rendered before everything is there: each render costs as much as the drawing.
function draw(viewer, data, dark) {
  const scene = data.scene
  const way = WAYS[data.way]
  viewer.removeAllModels()
  viewer.removeAllShapes()
  viewer.removeAllLabels()
  const look = JSON.stringify([dark, data.perspective])
  if (viewer.legocrystLook !== look) {
    viewer.setBackgroundColor(dark ? "#14191f" : "#ffffff")
    viewer.setProjection(data.perspective ? "perspective" : "orthographic")
    viewer.legocrystLook = look
  }
  const drawn = viewer.addModel()
  drawn.addAtoms(model(scene))
  const carbon = dark ? "#9aa7b3" : "#4a5560"
  const elements = { ...window.$3Dmol.elementColors.Jmol, C: carbon }
  const mark = (atom) => (data.marks ? data.legend[data.marks[atom.index]] : { short: atom.elem, color: "" })
  const colorfunc = (atom) => mark(atom).color || elements[atom.elem]
  for (const inside of [true, false]) {
    const radius = inside ? way.radius : way.bond * 0.8 // bonds that leave the cells end thin
    const style = { sphere: { radius, colorfunc }, stick: { radius: way.bond, colorfunc } }
    drawn.setStyle({ predicate: (atom) => scene.inside[atom.index] === inside }, style)
  }
  const ink = dark ? "#e3e8ed" : "#1c2733"
  const label = (text, position, more) => viewer.addLabel(text, {
    position, inFront: true, showBackground: false, fontColor: ink, ...more,
  }, undefined, true)
  if (data.cell) {
    for (const [start, end] of scene.edges) {
      viewer.addCylinder({
        start: point(start), end: point(end), radius: 0.03, color: dark ? "#c3ccd4" : "#2b3640", fromCap: 1, toCap: 1,
      })
    }
    scene.axes.forEach((axis, k) => label("abc"[k], point(axis.map((length) => 1.08 * length)), { fontSize: 15 }))
  }
  if (data.labels) {
    const back = { showBackground: true, backgroundColor: dark ? "#14191f" : "#ffffff", backgroundOpacity: 0.6 }
    drawn.selectedAtoms({}).forEach((atom) => {
      if (scene.inside[atom.index]) {
        label(mark(atom).short, atom, { fontSize: 11, padding: 1, alignment: "center", ...back })
      }
    })
  }
  if (viewer.legocrystCamera !== data.camera) {
    viewer.zoomTo()
    viewer.rotate(-75, "x")
    viewer.rotate(-20, "y")
    viewer.legocrystCamera = data.camera
  }
  viewer.render()
}

function isDark(element) {
  const [r, g, b] = (getComputedStyle(element).color.match(/\d+/g) || [0, 0, 0]).map(Number)
  return r + g + b > 380 // light text stands on a dark page
}

// Thumbnails. One viewer, outside the page, draws them all, each only once: browsers keep at most 16 viewers.
const SIZE = { width: 320, height: 240 }

function studio(library) {
  if (!window.legocrystStudio) {
    const box = document.createElement("div")
    Object.assign(box.style, { position: "fixed", left: "-9999px", top: "0" })
    box.style.width = `${SIZE.width}px`
    box.style.height = `${SIZE.height}px`
    document.body.appendChild(box)
    const viewer = library.createViewer(box, { antialias: true, upscale: false, preserveDrawingBuffer: true })
    if (!viewer) throw new Error("this browser does not draw in 3D (WebGL is off)")
    window.legocrystStudio = { viewer, pictures: new Map() }
  }
  return window.legocrystStudio
}

function taken(library, tile, dark) {
  const { viewer, pictures } = studio(library)
  viewer.legocrystCamera = null
  draw(viewer, tile, dark)
  if (pictures.size >= 500) pictures.delete(pictures.keys().next().value)
  pictures.set(JSON.stringify([tile.camera, dark]), viewer.pngURI())
}

function button(tile, pick) {
  const out = document.createElement("button")
  out.className = "legocryst-tile"
  out.type = "button"
  out.setAttribute("aria-pressed", tile.picked)
  const image = document.createElement("img")
  image.alt = `Thumbnail of ${tile.title}, ${tile.text}`
  image.style.visibility = "hidden" // until it is drawn
  const title = document.createElement("b")
  title.textContent = tile.title
  const text = document.createElement("span")
  text.textContent = tile.text
  out.append(image, title, text)
  out.onclick = () => pick(tile.camera)
  return out
}

async function gallery({ data, parentElement, setTriggerValue }) {
  const box = parentElement.querySelector(".legocryst-gallery")
  const note = parentElement.querySelector(".legocryst-note")
  const round = (box.round = (box.round || 0) + 1) // a later rerun takes over
  const tiles = data.tiles.map((tile) => button(tile, (name) => setTriggerValue("picked", name)))
  box.style.gridTemplateColumns = `repeat(${data.columns}, minmax(0, 1fr))`
  box.replaceChildren(...tiles)
  try {
    await settled()
    if (box.round !== round || !box.isConnected) return
    const library = await load(data.script)
    const dark = isDark(box)
    const { pictures } = studio(library)
    for (const [k, tile] of data.tiles.entries()) {
      if (box.round !== round || !box.isConnected) return
      const key = JSON.stringify([tile.camera, dark])
      if (!pictures.has(key)) {
        taken(library, tile, dark)
        await breath()
      }
      const image = tiles[k].querySelector("img")
      image.src = pictures.get(key)
      image.style.visibility = "visible"
    }
    box.dataset.drawn = data.tiles.length
    note.textContent = ""
  } catch (error) {
    note.textContent = `The crystals cannot be drawn: ${error.message}.`
  }
}

const HELP = "3D view of the crystal: arrow keys turn it, plus and minus zoom"
const KEYS = {
  ArrowLeft: (viewer) => viewer.rotate(-8, "y"),
  ArrowRight: (viewer) => viewer.rotate(8, "y"),
  ArrowUp: (viewer) => viewer.rotate(-8, "x"),
  ArrowDown: (viewer) => viewer.rotate(8, "x"),
  "+": (viewer) => viewer.zoom(1.15),
  "-": (viewer) => viewer.zoom(1 / 1.15),
}

function part(parent, tag, name, properties = {}) {
  const out = Object.assign(document.createElement(tag), { className: `legocryst-${name}`, ...properties })
  parent.append(out)
  return out
}

// The view with its legend and buttons, made once on its element.
function furnish(root) {
  const box = part(root, "div", "view", { tabIndex: 0, role: "application", ariaLabel: HELP })
  const legend = part(root, "ul", "legend")
  const tools = part(root, "div", "tools")
  const note = part(root, "p", "note")
  const tool = (text, action) => part(tools, "button", "tool", { type: "button", textContent: text, onclick: action })
  tool("Save picture", () => {
    Object.assign(document.createElement("a"), { href: box.viewer.pngURI(), download: `${root.data.camera}.png` }).click()
  })
  tool("Full screen", () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()))
  tool("Reset view", () => {
    box.viewer.legocrystCamera = null
    draw(box.viewer, root.data, isDark(root))
  })
  box.onkeydown = (event) => {
    if (KEYS[event.key] && box.viewer) {
      KEYS[event.key](box.viewer)
      event.preventDefault()
    }
  }
  return { box, legend, tools, note }
}

function explain(list, data) {
  list.replaceChildren(...(data.legend || []).map(({ short, words, color }) => {
    const item = document.createElement("li")
    const swatch = part(item, "i", "swatch", { textContent: short })
    if (color) swatch.style.background = color
    if (words !== short) item.append(words)
    return item
  }))
  list.hidden = !data.legend
  if (data.legend) list.ariaLabel = `Colours: ${data.legend_title}`
}

function panel(root, data) {
  root.parts = root.parts || furnish(root)
  root.data = data
  const { box, legend, tools, note } = root.parts
  box.style.height = `${data.height}px`
  explain(legend, data)
  return settled().then(() => load(data.script)).then((library) => {
    if (root.data !== data || !root.isConnected) return // a later rerun takes over, or another page is here
    if (!box.viewer) {
      // twice the points in each direction would cost four times as much where there is no graphics card
      box.viewer = library.createViewer(box, { antialias: true, upscale: false, preserveDrawingBuffer: true })
      if (!box.viewer) throw new Error("this browser does not draw in 3D (WebGL is off)")
      box.watcher = new ResizeObserver(() => {
        const size = `${box.clientWidth} ${box.clientHeight}`
        if (box.size !== undefined && box.size !== size) box.viewer.resize()
        box.size = size
      })
      box.watcher.observe(box)
    }
    draw(box.viewer, data, isDark(root))
    box.dataset.atoms = data.scene.positions.length
    tools.hidden = false
    note.textContent = ""
  }).catch((error) => {
    tools.hidden = true
    note.textContent = `The crystal cannot be drawn: ${error.message}.`
  })
}

export default function (component) {
  const { data, parentElement } = component
  if (data.tiles) {
    gallery(component)
    return () => {}
  }
  const root = parentElement.querySelector(".legocryst-panel")
  panel(root, data)
  return () => {
    if (root.parts?.box.watcher) root.parts.box.watcher.disconnect()
  }
}
