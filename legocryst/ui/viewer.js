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

function draw(viewer, data, dark) {
  const scene = data.scene
  const way = WAYS[data.way]
  const kept = viewer.getView()
  viewer.removeAllModels()
  viewer.removeAllShapes()
  viewer.removeAllLabels()
  viewer.setBackgroundColor(dark ? "#14191f" : "#ffffff")
  viewer.setProjection(data.perspective ? "perspective" : "orthographic")
  const drawn = viewer.addModel()
  drawn.addAtoms(model(scene))
  const carbon = dark ? "#9aa7b3" : "#4a5560"
  const colors = { prop: "elem", map: { ...window.$3Dmol.elementColors.Jmol, C: carbon } }
  for (const inside of [true, false]) {
    const radius = inside ? way.radius : way.bond * 0.8 // bonds that leave the cells end thin
    const style = { sphere: { radius, colorscheme: colors }, stick: { radius: way.bond, colorscheme: colors } }
    viewer.setStyle({ predicate: (atom) => scene.inside[atom.index] === inside }, style)
  }
  if (data.cell) {
    for (const [start, end] of scene.edges) {
      viewer.addCylinder({
        start: point(start), end: point(end), radius: 0.03, color: dark ? "#c3ccd4" : "#2b3640", fromCap: 1, toCap: 1,
      })
    }
    scene.axes.forEach((axis, k) => {
      const end = axis.map((length) => 1.08 * length)
      viewer.addLabel("abc"[k], {
        position: point(end), inFront: true, fontSize: 15, showBackground: false,
        fontColor: dark ? "#e3e8ed" : "#1c2733",
      })
    })
  }
  if (viewer.legocrystCamera === data.camera) {
    viewer.setView(kept)
  } else {
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
    const viewer = library.createViewer(box, { antialias: true, preserveDrawingBuffer: true })
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
    const library = await load(data.script)
    const dark = isDark(box)
    const { pictures } = studio(library)
    for (const [k, tile] of data.tiles.entries()) {
      if (box.round !== round) return
      const key = JSON.stringify([tile.camera, dark])
      if (!pictures.has(key)) {
        taken(library, tile, dark)
        await new Promise((resolve) => setTimeout(resolve)) // the page stays alive between two pictures
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

export default function (component) {
  const { data, parentElement } = component
  if (data.tiles) {
    gallery(component)
    return () => {}
  }
  const box = parentElement.querySelector(".legocryst-view")
  const note = parentElement.querySelector(".legocryst-note")
  box.style.height = `${data.height}px`
  load(data.script).then((library) => {
    if (!box.viewer) {
      box.viewer = library.createViewer(box, { antialias: true, preserveDrawingBuffer: true })
      box.watcher = new ResizeObserver(() => box.viewer.resize())
      box.watcher.observe(box)
    }
    if (!box.viewer) throw new Error("this browser does not draw in 3D (WebGL is off)")
    draw(box.viewer, data, isDark(box))
    box.dataset.atoms = data.scene.positions.length
    note.textContent = ""
  }).catch((error) => {
    note.textContent = `The crystal cannot be drawn: ${error.message}.`
  })
  return () => {
    if (box.watcher) box.watcher.disconnect()
  }
}
