// Holds the place of the page.
const place = document.createElement("main");
place.id = "app";
place.textContent = "chat";
document.body.append(place);
