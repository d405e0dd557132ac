(function(){
var data=JSON.parse(document.getElementById('readings').textContent);
document.documentElement.classList.add('js');
document.querySelectorAll('figure[data-read]').forEach(function(figure){
var own=data[figure.dataset.read],slider=figure.querySelector('input'),said=figure.querySelector('output');
var charts=[].slice.call(figure.querySelectorAll('svg.chart'));
function places(chart){return own.at[['wide','mid','narrow'].filter(function(w){return chart.classList.contains(w)})[0]]}
function show(){
var step=+slider.value;
slider.setAttribute('aria-valuetext',own.text[step]);said.textContent=own.text[step];
charts.forEach(function(chart){var at=places(chart);
chart.querySelectorAll('.read').forEach(function(line){var x=at[line.dataset.group]&&at[line.dataset.group][step];
line.classList.toggle('on',x!=null);if(x!=null){line.setAttribute('x1',x);line.setAttribute('x2',x)}})})}
slider.addEventListener('input',show);
charts.forEach(function(chart){chart.addEventListener('pointermove',function(event){
var at=places(chart),box=chart.getBoundingClientRect(),x=(event.clientX-box.left)*chart.dataset.width/box.width,best=-1,near=24;
Object.keys(at).forEach(function(group){at[group].forEach(function(place,step){
if(place!=null&&Math.abs(place-x)<near){near=Math.abs(place-x);best=step}})});
if(best>=0){slider.value=best;show()}})})});
addEventListener('beforeprint',function(){document.querySelectorAll('details').forEach(function(one){one.open=true})});
})();
