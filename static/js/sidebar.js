// From page to page the navigation stays where it was scrolled to, and moves only as far as it
// takes to have the page's own entry in sight. Nothing is drawn before (blocking="render").

// The button below the list takes its room before the list is measured.
document.documentElement.classList.add("has-script");
const navigation = document.querySelector(".sidebar-scroll");

function showPlace() {
  navigation.scrollTop = Number(sessionStorage.getItem("navigation"));
  const place = navigation.querySelector("[aria-current]")?.getBoundingClientRect();
  const sight = navigation.getBoundingClientRect();
  if (!place || (place.top >= sight.top && place.bottom <= sight.bottom)) return;
  navigation.scrollTop += (place.top + place.bottom - sight.top - sight.bottom) / 2;
}

showPlace();
// On somebody's first page the styles may come after this.
addEventListener("load", showPlace);
// On a phone it is out of sight until it is opened.
navigation.closest(".sidebar").addEventListener("toggle", showPlace);
navigation.addEventListener("scroll", () => {
  if (navigation.clientHeight) sessionStorage.setItem("navigation", navigation.scrollTop);
});
